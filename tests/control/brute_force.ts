import { RandomStream } from "../../circuits/random.ts";
import { accepts, type Constraint, type HmmNumbers } from "../../control/mod.ts";
import { bytesOf, isText, type Spelling } from "../../control/pieces/spelling.ts";

/** Random numbers of an HMM; `sharpness`: how far from uniform. */
export function randomNumbers(states: number, tokens: number, seed: number, sharpness = 2): HmmNumbers {
  const random = new RandomStream(seed, 77);
  const rows = (count: number, width: number) => {
    const values = new Float64Array(count * width);
    for (let r = 0; r < count; r++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += values[r * width + i] = Math.exp(sharpness * random.normal());
      for (let i = 0; i < width; i++) values[r * width + i]! /= sum;
    }
    return values;
  };
  return { initial: rows(1, states), transition: rows(states, states), emission: rows(states, tokens) };
}

/** The probability of tokens and, for each token, that of it as the next one, from scratch. */
export function probabilityOf(
  { initial, transition, emission }: HmmNumbers,
  tokens: readonly number[],
): number {
  const states = initial.length, width = emission.length / states;
  let ahead = Array.from(initial);
  for (const [t, token] of tokens.entries()) {
    const seen = ahead.map((x, z) => x * emission[z * width + token]!);
    ahead = t === tokens.length - 1
      ? seen
      : ahead.map((_, to) => seen.reduce((sum, x, z) => sum + x * transition[z * states + to]!, 0));
  }
  return ahead.reduce((a, b) => a + b, 0);
}

/** What texts are asked of brute force. */
export interface TextsAsked {
  readonly hmm: HmmNumbers;
  readonly spelling: Spelling;
  readonly constraint: Constraint;
  readonly least: number;
  readonly most: number;
  /** Tokens after a text, the end token included. */
  readonly suffix: readonly number[];
  readonly prompt?: readonly number[];
  readonly weights?: readonly number[];
}

/** All texts that satisfy a constraint, suffix included, with their probability after the prompt, each token weighed. */
export function allowedTexts(question: TextsAsked): Map<string, { tokens: number[]; probability: number }> {
  const { hmm, spelling, constraint, least, most, suffix, prompt = [], weights } = question;
  const ordinary = Array.from({ length: spelling.tokens }, (_, token) => token)
    .filter((token) => isText(token, spelling));
  const found = new Map<string, { tokens: number[]; probability: number }>();
  const given = prompt.length === 0 ? 1 : probabilityOf(hmm, prompt);
  const texts: number[][] = [[]];
  for (let at = 0; at < texts.length; at++) {
    const text = texts[at]!;
    if (text.length >= least && accepts(constraint.automaton, bytesOf(text, spelling))) {
      const tokens = [...text, ...suffix];
      const weight = text.reduce((product, token) => product * (weights?.[token] ?? 1), 1);
      if (weight > 0) {
        const joint = prompt.length + tokens.length === 0 ? 1 : probabilityOf(hmm, [...prompt, ...tokens]);
        found.set(tokens.join(), { tokens, probability: weight * joint / given });
      }
    }
    if (text.length < most) { for (const token of ordinary) texts.push([...text, token]); }
  }
  return found;
}

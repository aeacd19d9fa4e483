/** Checks of what programs pass: everything that is refused has a code, and says what was expected. */
import { CallError, textOf } from "../foundation/errors.ts";
import { didYouMean } from "../foundation/nearest.ts";

/** Refuses an argument: `what` is the value, and something else was expected. */
export function refuseArgument(what: string, value: unknown, expected: string): never {
  throw new CallError("control/argument", `${what} is ${briefly(value)}, expected ${expected}`);
}

/** A value in a few words: models hold millions of numbers, which no message should. */
export function briefly(value: unknown): string {
  if (ArrayBuffer.isView(value) && "length" in value) {
    return `${value.constructor.name} of ${String(value.length)}`;
  }
  if (Array.isArray(value) && value.length > 20) return `a list of ${value.length}`;
  const isPlain = isRecord(value) && !Array.isArray(value) && Object.keys(value).length > 0;
  return isPlain ? `{${Object.keys(value).slice(0, 8).join(", ")}}` : textOf(value);
}

/** Whether something has properties. */
export function isRecord(x: unknown): x is Readonly<Record<string, unknown>> {
  return typeof x === "object" && x !== null;
}

/** Whether something is a list of numbers: an array, or a typed array that has no large integers. */
export function isList(x: unknown): x is ArrayLike<number> {
  return Array.isArray(x) || ArrayBuffer.isView(x) && "length" in x && !isLarge(x);
}

function isLarge(x: ArrayBufferView): boolean {
  return x instanceof BigInt64Array || x instanceof BigUint64Array;
}

/** Options are an object of these names, or left out. @throws {CallError} for names that are none, with the nearest one */
export function requireOptions(what: string, x: unknown, known: Readonly<Record<string, true>>): void {
  if (x === undefined) return;
  if (!isRecord(x) || isList(x)) return refuseArgument(what, x, "an object of options");
  const names = Object.keys(known);
  const odd = Object.keys(x).find((name) => !Object.hasOwn(known, name));
  if (odd === undefined) return;
  throw new CallError("control/argument", `${what}: there is no \`${odd}\`${didYouMean(odd, names)}`, {
    hint: `There are ${names.join(", ")}.`,
  });
}

/** A whole number in a range. @throws {CallError} */
export function requireInteger(what: string, x: unknown, least: number, most = Infinity): void {
  if (typeof x === "number" && Number.isSafeInteger(x) && x >= least && x <= most) return;
  refuseArgument(what, x, `a whole number from ${least}${most === Infinity ? "" : ` to ${most}`}`);
}

/** Fewest and most of what an option names: whole numbers from 0, the greatest of which may be Infinity. @throws {CallError} */
export function requireRange(name: string, least: number, most: number, isBounded: boolean): void {
  requireInteger(`the least number of ${name}`, least, 0);
  if (isBounded || most !== Infinity) requireInteger(`the greatest number of ${name}`, most, 0);
  if (least <= most) return;
  throw new CallError(
    "control/argument",
    `\`${name}\` from ${least} to ${most}: the least number exceeds the greatest`,
  );
}

/** Ids of tokens: a list of whole numbers. @throws {CallError} */
export function requireIds(what: string, x: unknown, tokens = Infinity): void {
  if (!isList(x)) refuseArgument(what, x, "a list of ids of tokens");
  for (let i = 0; i < x.length; i++) requireInteger(`token ${i} of ${what}`, x[i], 0, tokens - 1);
}

/** The ids of tokens that something runs through. @throws {CallError} */
export function idsOf(what: string, x: unknown, tokens: number): number[] {
  if (!isRecord(x) || !(Symbol.iterator in x)) return refuseArgument(what, x, "a list of ids of tokens");
  const ids = [...x as unknown as Iterable<number>];
  requireIds(what, ids, tokens);
  return ids;
}

/** How logits are adjusted. @throws {CallError} */
export function requireAdjustment(
  { alpha = 1, candidates = Infinity }: { readonly alpha?: unknown; readonly candidates?: unknown },
): void {
  if (!(typeof alpha === "number" && alpha >= 0 && alpha <= 1)) {
    refuseArgument("`alpha`", alpha, "a number from 0 (a mask) to 1 (Bayes' rule)");
  }
  if (candidates !== Infinity) requireInteger("`candidates`", candidates, 1);
}

/** The names of what adjusts logits. */
export const ADJUSTMENT_OPTIONS: { readonly alpha: true; readonly candidates: true } = {
  alpha: true,
  candidates: true,
};

/** What adjusts logits, of options that hold more: those of a call before those of its plan. */
export function adjustmentOf<T>(
  ...options: readonly { readonly alpha?: T; readonly candidates?: T }[]
): { readonly alpha?: T; readonly candidates?: T } {
  const { alpha, candidates } = Object.assign({}, ...options) as { alpha?: T; candidates?: T };
  return { ...(alpha !== undefined && { alpha }), ...(candidates !== undefined && { candidates }) };
}

/** Logits of the next token: `tokens` of them or more, each a number or -Infinity. @throws {CallError} */
export function requireLogits(logits: unknown, tokens: number): void {
  if (!(logits instanceof Float32Array || logits instanceof Float64Array)) {
    refuseArgument("`logits`", logits, "a Float32Array or Float64Array");
  }
  if (logits.length < tokens) {
    throw new CallError(
      "control/argument",
      `there are ${logits.length} logits, expected ${tokens}: one for each token of the vocabulary`,
    );
  }
  for (let token = 0; token < tokens; token++) {
    // Not a number is less than nothing.
    if (!(logits[token]! < Infinity)) {
      refuseArgument(`the logit of token ${token}`, logits[token], "a number or -Infinity");
    }
  }
}

/** An automaton over bytes. @throws {CallError} */
export function requireAutomaton(x: unknown): void {
  if (!isAutomaton(x)) refuseArgument("the automaton", x, "that of a constraint: `phrase(…).automaton`");
}

/** Whether something is an automaton over bytes. */
export function isAutomaton(x: unknown): boolean {
  if (!isRecord(x)) return false;
  const { states, width, classes, next, accepting } = x;
  return Number.isSafeInteger(states) && Number.isSafeInteger(width) && classes instanceof Uint8Array &&
    classes.length === 256 && next instanceof Int32Array && accepting instanceof Uint8Array &&
    accepting.length === states && next.length === (states as number) * (width as number);
}

/** A hidden Markov model over tokens. @throws {CallError} */
export function requireHmm(x: unknown): void {
  const isReals = (values: unknown, length: number) =>
    (values instanceof Float32Array || values instanceof Float64Array) && values.length === length;
  if (
    isRecord(x) && Number.isSafeInteger(x.states) && Number.isSafeInteger(x.tokens) &&
    isReals(x.initial, x.states as number) && isReals(x.transition, (x.states as number) ** 2) &&
    isRecord(x.emission) && typeof x.emission.row === "function"
  ) return;
  throw new CallError(
    "control/hmm",
    `the model is ${briefly(x)}, expected a hidden Markov model over tokens`,
    {
      hint: "`hmmOfCircuit`, `decodeHmmFile` and `tokenHmm` make one.",
    },
  );
}

const KINDS: readonly unknown[] = ["words", "characters", "bytes", "pieces"];

/** A vocabulary. @throws {CallError} */
export function requireVocabulary(x: unknown): void {
  if (!isRecord(x) || !KINDS.includes(x.kind) || !Array.isArray(x.words) || x.words.length === 0) {
    throw new CallError(
      "control/vocabulary",
      `the vocabulary is ${briefly(x)}, ` +
        `expected \`kind\` (${KINDS.join(", ")}), \`words\`, \`unknown\` and \`end\`, ` +
        "or the text of a tokenizer.json",
      { hint: "`openCausalLm` opens a language model with its `vocabulary`." },
    );
  }
  const words = x.words as unknown[];
  const odd = words.findIndex((word) => typeof word !== "string");
  if (odd >= 0) refuseArgument(`token ${odd} of the vocabulary`, words[odd], "a text");
  for (const name of ["unknown", "end"]) {
    const id = x[name];
    if (id === null || Number.isInteger(id) && (id as number) >= 0 && (id as number) < words.length) continue;
    refuseArgument(
      `\`${name}\` of the vocabulary`,
      id,
      `the id of a token, 0 to ${words.length - 1}, or null`,
    );
  }
  if (x.glued !== undefined) requireIds("`glued` of the vocabulary", x.glued, words.length);
}

/** A language model that texts are drawn from. @throws {CallError} */
export function requireLanguageModel(x: unknown): void {
  if (
    !isRecord(x) || typeof x.begin !== "function" || !(typeof x.longest === "number" && x.longest >= 0) ||
    typeof x.padding !== "number" || !isRecord(x.vocabulary)
  ) {
    throw new CallError("control/argument", `the language model is ${briefly(x)}`, {
      hint: "Pass what `openCausalLm` opens, or `languageModelOfHmm(hmm, vocabulary)`.",
    });
  }
  requireVocabulary(x.vocabulary);
}

/** A plan. @throws {CallError} */
export function requirePlan(x: unknown): void {
  if (isRecord(x) && typeof x.begin === "function" && isRecord(x.parts) && isRecord(x.parts.course)) return;
  refuseArgument("the plan", x, "what `control.plan` makes");
}

/** Something that is left out, or a function. @throws {CallError} */
export function requireCallback(what: string, x: unknown): void {
  if (x !== undefined && typeof x !== "function") refuseArgument(what, x, "a function");
}

/** Something that is left out, or a signal that ends the work. @throws {CallError} */
export function requireSignal(x: unknown): void {
  if (x !== undefined && !(x instanceof AbortSignal)) refuseArgument("`signal`", x, "an AbortSignal");
}

/** What control costs at one size of the hidden Markov model. The model is random; time does not depend on its numbers. */
import { RandomStream } from "../../circuits/random.ts";
import {
  all,
  anyOf,
  type ControlPlan,
  inOrder,
  openControl,
  quantised,
  type TokenHmm,
  tokenHmm,
  words,
} from "../../control/mod.ts";
import { plainProducts } from "../../control/hmm/products.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { type Figure, figure, workOf } from "../measure.ts";

/** What is measured. */
export interface ControlSize {
  /** Hidden states. */
  readonly states: number;
  /** Tokens of the vocabulary. */
  readonly tokens: number;
  /** Of how many likeliest tokens the future is weighed. */
  readonly candidates: number;
  /** Most tokens of a text. */
  readonly length: number;
  /** Bits of an emission. */
  readonly bits: 8 | 32;
  /** What multiplies with the transitions; chosen by size if omitted. */
  readonly engine?: "plain" | "onnx";
  /** What a token and row, and the table, may take in milliseconds. */
  readonly target?: { readonly token: number; readonly table: number };
}

/** What else is measured with a plan: `text` is the longest that was drawn. */
export type MeasureMore = (
  hmm: TokenHmm,
  plan: ControlPlan,
  text: readonly number[],
) => Promise<readonly Figure[]>;

/** From this many states on the hidden state moves on in ONNX Runtime, on all cores. */
const MANY_STATES = 2048;

const random = new RandomStream(1);
const quick = () => random.word() / 2 ** 32;

/** Rows of random numbers, each divided by its sum. */
function rows(count: number, width: number): Float32Array {
  const values = new Float32Array(count * width);
  for (let r = 0; r < count; r++) {
    let sum = 0;
    for (let i = r * width; i < (r + 1) * width; i++) sum += values[i] = quick() ** 4;
    for (let i = r * width; i < (r + 1) * width; i++) values[i]! /= sum;
  }
  return values;
}

const SYLLABLES = [
  "ba",
  "de",
  "fi",
  "go",
  "ku",
  "la",
  "me",
  "ni",
  "po",
  "ru",
  "sa",
  "te",
  "vi",
  "xo",
  "zu",
  "ja",
];

/** Words that are pronounceable: as many as there are tokens. */
function vocabularyOf(tokens: number): Vocabulary {
  const words = ["<unk>", "<eos>"];
  for (let n = 0; words.length < tokens; n++) {
    words.push(n.toString(16).split("").map((digit) => SYLLABLES[parseInt(digit, 16)]!).join(""));
  }
  return { kind: "words", words, unknown: 0, end: 1 };
}

/** Measures a token and row beside the language model, and the look-ahead table. */
export async function measureSize(
  size: ControlSize,
  more: MeasureMore = () => Promise.resolve([]),
): Promise<{ readonly figures: readonly Figure[]; readonly about: string }> {
  const { states, tokens, candidates, length, bits, engine, target } = size;
  const exact = tokenHmm({
    initial: rows(1, states),
    transition: rows(states, states),
    emission: rows(states, tokens),
  });
  const coded = bits === 8 ? quantised(exact) : undefined;
  const hmm = coded?.hmm ?? exact;
  await using control = await openControl(hmm, vocabularyOf(tokens), engine === undefined ? {} : { engine });
  const constraint = all(
    inOrder(anyOf(" dego", " badeku"), " lame", anyOf(" te", " zu")),
    words(7, 12),
  );
  let plan = await control.plan(constraint, { tokens: [5, length], candidates });
  const planning: { wall: number; core: number }[] = [];
  for (let run = 0; run < 3; run++) {
    planning.push(
      await workOf(async () => plan = await control.plan(constraint, { tokens: [5, length], candidates })),
    );
  }
  const { course } = plan.parts;
  const plain = await steps(plan, false, size), other = await steps(plan, true, size);
  const best = states >= MANY_STATES ? other : plain;
  const both = (of: "wall" | "core") => best.adjust.map((one, i) => one[of] + best.move[i]![of]);
  const walls = (times: readonly { wall: number }[]) => times.map(({ wall }) => wall);
  const name = `${states.toLocaleString("en")} states${bits === 8 ? ", 8 bits" : ""}:`;
  const figures = [
    figure(`${name} a token and row`, "ms", both("wall"), target && { atMost: target.token }),
    figure("the same, processor time", "core ms", both("core")),
    figure("of it the logits", "ms", walls(best.adjust)),
    figure("of it the hidden state, typed arrays", "ms", walls(plain.move)),
    figure("of it the hidden state, engine", "ms", walls(other.move)),
    figure(
      `${name} table of ${length} steps x ${course.automaton.states}`,
      "ms",
      walls(planning),
      target && { atMost: target.table },
    ),
    figure("the same, processor time", "core ms", planning.map(({ core }) => core)),
    // A float for each step, state of the automaton and hidden state, and no more.
    figure("memory of the table", "MiB", [plan.bytes / 2 ** 20], {
      atMost: Math.ceil((length + 1) * course.automaton.states * states * 4 / 2 ** 20),
    }),
    figure("memory of the process", "MiB", [Deno.memoryUsage().rss / 2 ** 20]),
    ...coded === undefined ? [] : [
      figure(`${name} loss, mean of all states`, "nats", [coded.loss.mean]),
      figure(`${name} loss, largest`, "nats", [coded.loss.largest]),
    ],
  ];
  const about = `${states} states, ${tokens} tokens, ${candidates} candidates, emissions in ${bits} bits, ` +
    `${course.automaton.width} classes of tokens`;
  return { figures: [...figures, ...await more(hmm, plan, best.longest)], about };
}

/** Times of steps in texts that are drawn at random among what is allowed, but for the first ones, which warm up. */
async function steps(
  plan: ControlPlan,
  byEngine: boolean,
  { states, tokens, candidates, length }: ControlSize,
) {
  const adjust: { wall: number; core: number }[] = [], move: { wall: number; core: number }[] = [];
  const { products, course } = plan.parts;
  const own = byEngine ? products : plainProducts(course.hmm);
  let longest: readonly number[] = [];
  for (let text = 0; text < 4; text++) {
    const continuation = plan.begin(), drawn: number[] = [];
    while (continuation.canContinue && continuation.length < length - 2) {
      const logits = Float32Array.from({ length: tokens }, () => 4 * quick());
      adjust.push(await workOf(() => continuation.adjust(logits, { candidates })));
      const token = random.choose(Array.from(logits, (x) => Math.exp(x)));
      drawn.push(token);
      move.push(
        await workOf(async () => {
          const weighed = continuation.begin(token);
          continuation.settle((await own.forward(weighed, 1)).subarray(0, states));
        }),
      );
    }
    if (drawn.length > longest.length) longest = drawn;
  }
  return { adjust: adjust.slice(3), move: move.slice(3), longest };
}

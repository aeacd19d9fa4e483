/**
 * What it costs to keep a language model to a constraint with a hidden Markov model, beside the language model's own work:
 * a token and row, and the look-ahead table. The model is random; its time does not depend on its numbers.
 *
 *     deno task bench:control                                             1,024 states, 8,000 tokens
 *     deno task bench:control --states 4096 --tokens 50257 --engine onnx  as large as published models
 *     deno task bench:control --bits 8
 *     deno task bench:control --peers env/bin/python                      beside Python: bench/peers/requirements.txt
 */
import { cpuUsage } from "node:process";
import { RandomStream } from "../circuits/random.ts";
import {
  all,
  anyOf,
  inOrder,
  openControl,
  quantised,
  type TokenHmm,
  tokenHmm,
  words,
} from "../control/mod.ts";
import { plainProducts } from "../control/hmm/products.ts";
import { measurePeer } from "./control/peer.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { benchOptions, type Figure, figure, milliseconds, printFigures } from "./measure.ts";

const options = benchOptions({
  states: { type: "string", default: "1024" },
  tokens: { type: "string", default: "8000" },
  candidates: { type: "string", default: "256" },
  length: { type: "string", default: "32" },
  bits: { type: "string", default: "32" },
  engine: { type: "string", default: "" },
  peers: { type: "string" },
});
const [states, tokens, candidates, length] = [
  options.states,
  options.tokens,
  options.candidates,
  options.length,
].map(Number) as [number, number, number, number];
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

/** Words that are pronounceable: as many as there are tokens. */
function vocabulary(): Vocabulary {
  const parts = [
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
  const words = ["<unk>", "<eos>"];
  for (let n = 0; words.length < tokens; n++) {
    words.push(n.toString(16).split("").map((digit) => parts[parseInt(digit, 16)]!).join(""));
  }
  return { kind: "words", words, unknown: 0, end: 1 };
}

/** Processor time of all threads in milliseconds: on a machine that does other work too, the wall clock says little. */
async function processorTime(work: () => unknown): Promise<number> {
  const before = cpuUsage();
  await work();
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000;
}

let hmm: TokenHmm = tokenHmm({
  initial: rows(1, states),
  transition: rows(states, states),
  emission: rows(states, tokens),
});
const more: Record<string, unknown> = {};
if (options.bits === "8") {
  const made = quantised(hmm);
  hmm = made.hmm;
  more.lossInNats = made.loss;
}
const engine = options.engine === "plain" || options.engine === "onnx" ? options.engine : undefined;
await using control = await openControl(hmm, vocabulary(), engine === undefined ? {} : { engine });
const constraint = all(inOrder(anyOf(" dego", " badeku"), " lame", anyOf(" te", " zu")), words(7, 12));
const planning: number[] = [], planningProcessor: number[] = [];
let plan = await control.plan(constraint, { tokens: [5, length], candidates });
for (let run = 0; run < 3; run++) {
  planning.push(
    await milliseconds(async () => {
      planningProcessor.push(
        await processorTime(async () =>
          plan = await control.plan(constraint, { tokens: [5, length], candidates })
        ),
      );
    }),
  );
}
const { course, products } = plan.parts;
/** The longest text that was drawn: what peers follow. */
let longest: number[] = [];

/** Time of a step in texts that are drawn at random among what is allowed. */
async function steps(
  update: "typed arrays" | "engine",
  time: (work: () => unknown) => Promise<number>,
): Promise<{ adjust: number[]; move: number[] }> {
  const adjust: number[] = [], move: number[] = [];
  const own = update === "engine" ? products : plainProducts(hmm);
  for (let text = 0; text < 4; text++) {
    const continuation = plan.begin(), drawn: number[] = [];
    while (continuation.canContinue && continuation.length < length - 2) {
      const logits = Float32Array.from({ length: tokens }, () => 4 * quick());
      adjust.push(await time(() => continuation.adjust(logits, { candidates })));
      const token = random.choose(Array.from(logits, (x) => Math.exp(x)));
      drawn.push(token);
      move.push(
        await time(async () => {
          const weighed = continuation.begin(token);
          continuation.settle((await own.forward(weighed, 1)).subarray(0, states));
        }),
      );
    }
    if (drawn.length > longest.length) longest = drawn;
  }
  return { adjust: adjust.slice(3), move: move.slice(3) };
}

const plain = await steps("typed arrays", milliseconds), other = await steps("engine", milliseconds);
const worked = await steps(states >= 2048 ? "engine" : "typed arrays", processorTime);
const both = (parts: { adjust: number[]; move: number[] }) =>
  parts.adjust.map((ms, i) => ms + parts.move[i]!);
const target = states === 1024 && tokens === 8000
  ? { token: 3, table: 1000 }
  : states === 4096 && tokens === 50257
  ? { token: 25, table: 60_000 }
  : undefined;
const best = states >= 2048 ? other : plain;
const figures: Figure[] = [
  figure("a token and row", "ms", both(best), target && { atMost: target.token }),
  figure("the same, processor time", "core ms", both(worked)),
  figure("of it the logits", "ms", best.adjust),
  figure("of it the hidden state, typed arrays", "ms", plain.move),
  figure("of it the hidden state, engine", "ms", other.move),
  figure(
    `table of ${length} steps and ${course.automaton.states} states`,
    "ms",
    planning,
    target && { atMost: target.table },
  ),
  figure("the table, processor time", "core ms", planningProcessor),
  figure("memory of the table", "MiB", [plan.bytes / 2 ** 20]),
  figure("memory of the process", "MiB", [Deno.memoryUsage().rss / 2 ** 20]),
];
if (options.peers !== undefined) {
  figures.push(...await measurePeer(options.peers, hmm, plan, longest, candidates));
}
const what =
  `${states} states, ${tokens} tokens, ${candidates} candidates, emissions in ${options.bits} bits, ` +
  `${course.automaton.width} classes of tokens`;
printFigures(figures, { ...options, about: [what], more: { what, ...more } });
if (more.lossInNats !== undefined) {
  console.error(`loss of 8 bits in nats: ${JSON.stringify(more.lossInNats)}`);
}

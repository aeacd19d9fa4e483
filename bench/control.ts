/**
 * What it costs to keep a language model to a constraint with a hidden Markov model, beside the language model's own work:
 * a token and row, the look-ahead table and its memory; what emissions in 8 bits lose.
 *
 *     deno task bench:control                                             both sizes that have targets, and 8 bits
 *     deno task bench:control --peers env/bin/python                      and Python: bench/peers/requirements.txt
 *     deno task bench:control --states 512 --tokens 4000 --engine onnx    another size
 *     deno task bench:control --states 1024 --tokens 8000 --bits 8
 */
import { measurePeer } from "./control/peer.ts";
import { type ControlSize, measureSize } from "./control/size.ts";
import { benchOptions, type Figure, printFigures } from "./measure.ts";

const options = benchOptions({
  states: { type: "string" },
  tokens: { type: "string" },
  candidates: { type: "string", default: "256" },
  length: { type: "string", default: "32" },
  bits: { type: "string", default: "32" },
  engine: { type: "string" },
  peers: { type: "string" },
});
const { engine } = options;
if (engine !== undefined && engine !== "plain" && engine !== "onnx") {
  throw new Error(`--engine is "${engine}", expected plain or onnx`);
}
const shared = { candidates: Number(options.candidates), length: Number(options.length) };

/** Sizes with targets: what one trains in an afternoon, on one core, and what is published, by ONNX Runtime. */
const SMALL: ControlSize = {
  ...shared,
  states: 1024,
  tokens: 8000,
  bits: 32,
  target: { token: 3, table: 1000 },
};
const LARGE: ControlSize = {
  ...shared,
  states: 4096,
  tokens: 50_257,
  bits: 32,
  engine: "onnx",
  target: { token: 25, table: 60_000 },
};

const asked: ControlSize[] = options.states === undefined && options.tokens === undefined
  ? [SMALL, { ...SMALL, bits: 8 }, LARGE]
  : [{
    ...shared,
    states: Number(options.states ?? SMALL.states),
    tokens: Number(options.tokens ?? SMALL.tokens),
    bits: options.bits === "8" ? 8 : 32,
    ...(engine !== undefined && { engine }),
  }];

const figures: Figure[] = [], about: string[] = [];
const { peers } = options;
for (const [i, size] of asked.entries()) {
  // The published algorithm takes all tokens at once: at the larger size it needs minutes and tens of gigabytes.
  const measured = await measureSize(
    size,
    peers === undefined || i > 0
      ? undefined
      : (hmm, plan, text) => measurePeer(peers, hmm, plan, text, size.candidates),
  );
  figures.push(...measured.figures);
  about.push(measured.about);
}
printFigures(figures, { ...options, about, more: { about } });

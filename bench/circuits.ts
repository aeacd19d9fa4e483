/**
 * How fast circuits learn on the CPU engine: an HMM beside bare matrix products of ONNX Runtime, a hidden Chow-Liu tree of the size of an
 * image, and what a Python user has for both. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:circuits
 *     deno task bench:circuits --part hmm --states 512 --operators --json      parts: hmm, tree
 *     deno task bench:circuits --peers env/bin/python     a Python with bench/peers/requirements.txt: takes some ten minutes
 */
import { existsSync } from "node:fs";
import { type ChainResult, type ChainSize, measureChain } from "./circuits/chain.ts";
import type { TreeSize } from "./circuits/model.ts";
import { measureChainPeers, measureTreePeers } from "./circuits/peers.ts";
import { measureTree, type TreeResult } from "./circuits/tree.ts";
import { benchOptions, type Figure, printFigures } from "./measure.ts";

const options = benchOptions({
  operators: { type: "boolean" },
  part: { type: "string", multiple: true, default: ["hmm", "tree"] },
  peers: { type: "string" },
  states: { type: "string", multiple: true, default: ["512", "1024"] },
  symbols: { type: "string", default: "33278" },
  length: { type: "string", default: "32" },
  batch: { type: "string", default: "256" },
  side: { type: "string", default: "28" },
  latents: { type: "string", default: "128" },
  runs: { type: "string", default: "9" },
  // Of a process that this one started: prints its result as it is.
  alone: { type: "boolean" },
});
const unknown = options.part.find((part) => part !== "hmm" && part !== "tree");
if (unknown !== undefined) {
  console.error(`there is no part ${unknown}; the parts are hmm and tree`);
  Deno.exit(2);
}
if (options.peers !== undefined && !existsSync(options.peers)) {
  console.error(`--peers is "${options.peers}", where no Python is`);
  Deno.exit(2);
}
const batch = Number(options.batch), runs = Number(options.runs);
const chains = options.states.map((states): ChainSize => ({
  states: Number(states),
  length: Number(options.length),
  batch,
  symbols: Number(options.symbols),
  runs,
}));
const tree: TreeSize = {
  side: Number(options.side),
  states: 256,
  latents: Number(options.latents),
  batch,
};

if (options.alone) {
  const [chain] = chains;
  const result = options.part[0] === "tree" ? await measureTree(tree, runs) : await measureChain(chain!);
  console.log(JSON.stringify(result));
} else await measureAll();

async function measureAll(): Promise<void> {
  const figures: Figure[] = [], operators: Record<string, string> = {};
  if (options.part.includes("hmm")) {
    for (const size of chains) {
      const result = await apart<ChainResult>("hmm", "--states", String(size.states));
      figures.push(...result.figures);
      operators[`HMM, ${size.states} states`] = result.operators;
      if (options.peers === undefined) continue;
      console.error("measuring hmm.py …");
      figures.push(...await measureChainPeers(options.peers, size, result.step));
    }
  }
  if (options.part.includes("tree")) {
    const result = await apart<TreeResult>("tree");
    figures.push(...result.figures);
    operators["HCLT"] = result.operators;
    if (options.peers !== undefined) {
      console.error("measuring tree.py …");
      figures.push(...await measureTreePeers(options.peers, tree, runs, result.step));
    }
  }
  printFigures(figures, options);
  if (options.operators && !options.json) {
    for (const [name, text] of Object.entries(operators)) console.log(`\n${name}\n${text}`);
  }
}

/** Measures a part in a process of its own: its peak of memory is nobody else's, and none is warmer than another. */
async function apart<T>(part: string, ...more: string[]): Promise<T> {
  console.error(`measuring ${[part, ...more.filter((word) => !word.startsWith("-"))].join(" ")} …`);
  const same = (["symbols", "length", "batch", "side", "latents", "runs"] as const).flatMap((
    name,
  ) => [`--${name}`, options[name]]);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", import.meta.url, "--alone", "--part", part, ...same, ...more],
    stderr: "inherit",
  }).output();
  if (!success) Deno.exit(1);
  return JSON.parse(new TextDecoder().decode(stdout)) as T;
}

import { fileURLToPath } from "node:url";
import { type Figure, figure } from "../measure.ts";
import { imageTree, type StepSeconds, type TreeSize } from "./model.ts";
import type { ChainSize } from "./chain.ts";

/** How many times faster than a peer a step should be. */
const AHEAD = 3;

/**
 * Seconds of hidden Markov models in Python, and how many times as long as a step of Retort they take. The scaled one has no
 * target: it is the same algorithm, on matrix products of PyTorch.
 */
export async function measureChainPeers(
  python: string,
  size: ChainSize,
  step: StepSeconds,
): Promise<Figure[]> {
  const { states, length, batch, symbols } = size;
  const results = await lines(python, "hmm.py", {
    states,
    length,
    batch,
    symbols,
    repeat: size.runs,
  });
  return results.flatMap((result) =>
    comparison(result, `${states} states: an E-step`, step, result.peer !== "torch-scaled")
  );
}

/** The same for the tree. */
export async function measureTreePeers(
  python: string,
  size: TreeSize,
  runs: number,
  step: StepSeconds,
): Promise<Figure[]> {
  const file = Deno.makeTempFileSync({ suffix: ".json" });
  try {
    Deno.writeTextFileSync(file, JSON.stringify({ parents: [...imageTree(size).parents] }));
    const { states, latents, batch } = size;
    const [result] = await lines(python, "tree.py", { tree: file, states, latents, batch, repeat: runs });
    if (result === undefined) throw new Error("tree.py printed nothing");
    const { peer, peakMiB } = result;
    return [
      ...comparison(result, "the same tree: a step", step, true),
      ...(peakMiB === undefined ? [] : [figure(`${peer}: peak memory of the process`, "MiB", [peakMiB])]),
    ];
  } finally {
    Deno.removeSync(file);
  }
}

/** A peer's seconds, and how many times as long as Retort's step they are. */
function comparison(
  { peer, seconds, coreSeconds, runs }: PeerLine,
  what: string,
  step: StepSeconds,
  aimed: boolean,
): Figure[] {
  return [
    { ...figure(`${peer}, ${what}`, "s", [seconds]), runs },
    { ...figure(`${peer}: the same, processor time`, "core s", [coreSeconds]), runs },
    figure(
      `${peer} over Retort's step`,
      "times",
      [seconds / step.wall],
      aimed ? { atLeast: AHEAD } : undefined,
    ),
    figure(`${peer} over Retort's step, processor time`, "times", [coreSeconds / step.core]),
  ];
}

/** What a peer prints. */
interface PeerLine {
  readonly peer: string;
  readonly seconds: number;
  readonly coreSeconds: number;
  readonly runs: number;
  readonly peakMiB?: number;
}

async function lines(
  python: string,
  script: string,
  options: Readonly<Record<string, string | number>>,
): Promise<PeerLine[]> {
  const { success, stdout } = await new Deno.Command(python, {
    args: [
      fileURLToPath(new URL(`../peers/${script}`, import.meta.url)),
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${script} failed under ${python}`);
  const text = new TextDecoder().decode(stdout).trim();
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as PeerLine);
}

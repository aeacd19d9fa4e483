/** The published algorithm in Python beside Retort: a plan and a text, the weights of every next token, and their times. */
import { fileURLToPath } from "node:url";
import { type ControlPlan, encodeHmmFile, type TokenHmm } from "../../control/mod.ts";
import { BEGINNING } from "../../control/pieces/spelling.ts";
import { type Figure, figure, median, workOf } from "../measure.ts";

/** How much faster Retort is to be a token. */
const AHEAD = 10;
/** How far probabilities may differ. */
const APART = 1e-5;

/** What the peer prints. */
interface PeerLine {
  readonly seconds: number;
  readonly coreSeconds: number;
  readonly runs: number;
  readonly tableSeconds: number;
  readonly tableCoreSeconds: number;
}

/** Figures of the peer, and of Retort at the same text: with `candidates`, and with all tokens as the peer does. */
export async function measurePeer(
  python: string,
  hmm: TokenHmm,
  plan: ControlPlan,
  text: readonly number[],
  candidates: number,
): Promise<Figure[]> {
  const { automaton, least, most, suffix } = plan.parts.course;
  const folder = await Deno.makeTempDir({ prefix: "retort-control-peer-" });
  try {
    await Deno.writeFile(`${folder}/hmm.safetensors`, encodeHmmFile(hmm));
    const { states, width, starts, classes, next, accepting } = automaton;
    await Deno.writeTextFile(
      `${folder}/task.json`,
      JSON.stringify({
        ...{ states, width, start: starts[BEGINNING], least, most, suffix, text },
        ...{ classes: [...classes], next: [...next], accepting: [...accepting] },
      }),
    );
    const { success, stdout } = await new Deno.Command(python, {
      args: [
        fileURLToPath(new URL("../peers/control.py", import.meta.url)),
        ...["--model", `${folder}/hmm.safetensors`, "--task", `${folder}/task.json`],
        ...["--out", `${folder}/ratios.f32`],
      ],
      stderr: "inherit",
    }).output();
    if (!success) throw new Error(`control.py failed under ${python}`);
    const peer = JSON.parse(new TextDecoder().decode(stdout)) as PeerLine;
    const ratios = new Float32Array((await Deno.readFile(`${folder}/ratios.f32`)).buffer);
    const some = await ownTimes(plan, text, hmm.tokens, candidates);
    const all = await ownTimes(plan, text, hmm.tokens, Infinity);
    return [
      { ...figure("published algorithm: a token and row", "ms", [1000 * peer.seconds]), runs: peer.runs },
      { ...figure("the same, processor time", "core ms", [1000 * peer.coreSeconds]), runs: peer.runs },
      figure("published algorithm: the table", "ms", [1000 * peer.tableSeconds]),
      figure("the same, processor time", "core ms", [1000 * peer.tableCoreSeconds]),
      figure(`over Retort, ${candidates} candidates`, "times", [1000 * peer.seconds / some.wall], {
        atLeast: AHEAD,
      }),
      figure("the same, processor time", "times", [1000 * peer.coreSeconds / some.core], { atLeast: AHEAD }),
      figure("over Retort, all tokens", "times", [1000 * peer.seconds / all.wall], { atLeast: AHEAD }),
      figure("the same, processor time", "times", [1000 * peer.coreSeconds / all.core], { atLeast: AHEAD }),
      figure("largest difference of probabilities", "", [difference(all.rows, ratios)], { atMost: APART }),
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Adjusts even logits and moves on, token by token, three times: while code is hot is what counts. Times are medians in
 * milliseconds, of the last time.
 */
async function ownTimes(plan: ControlPlan, text: readonly number[], tokens: number, candidates: number) {
  let times = await ownTime(plan, text, tokens, candidates);
  for (let again = 0; again < 2; again++) times = await ownTime(plan, text, tokens, candidates);
  return times;
}

async function ownTime(plan: ControlPlan, text: readonly number[], tokens: number, candidates: number) {
  const { products } = plan.parts;
  const walls: number[] = [], cores: number[] = [], rows: Float32Array[] = [];
  const continuation = plan.begin();
  for (const token of text) {
    const logits = new Float32Array(tokens);
    const { wall, core } = await workOf(async () => {
      continuation.adjust(logits, { candidates });
      continuation.settle(await products.forward(continuation.begin(token), 1));
    });
    walls.push(wall);
    cores.push(core);
    rows.push(logits);
  }
  return { wall: median(walls), core: median(cores), rows };
}

/**
 * The largest difference between the distributions of the next token that two programs make of even logits, over all steps
 * and tokens.
 */
function difference(own: readonly Float32Array[], theirs: Float32Array): number {
  let largest = 0;
  own.forEach((row, n) => {
    const a = softmax(row), b = softmax(theirs.subarray(n * row.length, (n + 1) * row.length));
    a.forEach((x, token) => largest = Math.max(largest, Math.abs(x - b[token]!)));
  });
  return largest;
}

function softmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = Float64Array.from(logits, (x) => Math.exp(x - most));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((x) => x / total);
}

import { hmm } from "../../circuits/structures/hmm.ts";
import { Blobs } from "../../runner/store/blobs.ts";
import { Store } from "../../runner/store/store.ts";
import { writeArtifact } from "../../runner/store/artifacts.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { vocabulary } from "../../stages/text/codecs.ts";
import { Explorer } from "../../web/explorer/explorer.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";

/** States of the hidden Markov model, words of its vocabulary, and units of its windows: those of the text pipelines. */
const STATES = 512, WORDS = 33_278, LENGTH = 32;

/** How long the explorer takes to answer about a sentence with two blanks. */
export async function measureExplorer(folder: string): Promise<Figure[]> {
  const store = Store.open(`${folder}/store`, { create: true });
  const blobs: Blobs = store.blobs;
  const words = Array.from({ length: WORDS }, (_, i) => i === 0 ? "<unk>" : i === 1 ? "<eos>" : `w${i}`);
  const known = { kind: "words" as const, words, unknown: 0, end: 1 };
  const model = hmm({ length: LENGTH, states: STATES, symbols: WORDS, seed: 1 });
  const question = {
    kind: "text" as const,
    model: await writeArtifact(blobs, circuit, model, "the model"),
    vocabulary: await writeArtifact(blobs, vocabulary, known, "the vocabulary"),
    ...{ ends: true, list: 10, draws: 4, seed: 0, likeliest: false },
  };
  await using explorer = new Explorer();
  const ask = (round: number) =>
    milliseconds(() =>
      explorer.ask(store.root, { ...question, sentence: `w2 _ w${round + 3} _ w4` }, "bench")
    );
  const first = await ask(0);
  const later: number[] = [];
  for (let round = 1; round <= 9; round++) later.push(await ask(round));
  const what = `HMM of ${STATES} states, ${WORDS} words`;
  return [
    figure(`first question, ${what}: starts a process, opens the model`, "ms", [first]),
    figure(`later questions, two blanks`, "ms", later),
  ];
}

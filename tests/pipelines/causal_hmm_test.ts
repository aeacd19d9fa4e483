import assert from "node:assert/strict";
import { command, Folder, outputValue, ROOT } from "../command.ts";
import { languageModel, LOGITS, logitTable, PIECES } from "../teachers/tiny_language_model.ts";
import { tinyTokenizer } from "../teachers/tiny.ts";

const LENGTH = 8;

/** Perplexity a piece of the chain that the tiny language model is, when it knows itself: exact. */
function ownPerplexity(): number {
  const chances = Array.from({ length: PIECES }, (_, from) => {
    const weights = Array.from({ length: PIECES }, (_, to) => Math.exp(logitTable[from * LOGITS + to]!));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / total);
  });
  const entropies = chances.map((row) => -row.reduce((sum, p) => sum + p * Math.log(p), 0));
  let at: number[] = Array.from({ length: PIECES }, (_, piece) => piece === 1 ? 1 : 0);
  let nats = 0, pieces = 0;
  for (let t = 0; t < LENGTH; t++) {
    at[2] = 0; // Nothing follows the end.
    nats += at.reduce((sum, p, piece) => sum + p * entropies[piece]!, 0);
    pieces += at.reduce((a, b) => a + b, 0);
    at = at.map((_, to) => at.reduce((sum, p, from) => sum + p * chances[from]![to]!, 0));
  }
  return Math.exp(nats / pieces);
}

Deno.test("a chain that a language model speaks is distilled into a hidden Markov model that is as good as it", async () => {
  using folder = new Folder();
  const { model } = await languageModel(true, false);
  Deno.mkdirSync(`${folder.path}/model`);
  Deno.writeFileSync(`${folder.path}/model/model.onnx`, model);
  Deno.writeTextFileSync(`${folder.path}/model/tokenizer.json`, tinyTokenizer);
  const settings = [
    `model=${folder.path}/model`,
    "texts=2000",
    `length=${LENGTH}`,
    "states=12",
    "epochs=3",
    "pseudocount=0.1",
  ];
  const store = ["--store", folder.store];
  const ran = await command("run", [
    `${ROOT}/pipelines/causal_hmm.ts`,
    ...store,
    "--jobs",
    "0",
    ...settings.flatMap((one) => ["--set", one]),
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  const { rows, floors } = await outputValue(folder.store, "table") as {
    rows: { arm: string; start: number; test: number }[];
    floors: { model: string; test: number }[];
  };
  const arm = (name: string) => rows.find((row) => row.arm === name)!;
  const own = ownPerplexity();
  // 200 texts, some 1,400 pieces: the mean of their surprise is known to about three in a hundred.
  assert.ok(Math.abs(arm("distilled").start / own - 1) < 0.08, `${arm("distilled").start}, ${own}`);
  assert.ok(Math.abs(arm("distilled").test / own - 1) < 0.08, `${arm("distilled").test}, ${own}`);
  assert.ok(arm("distilled").test < arm("random").test, "the same EM from a random start gets less far");
  assert.ok(floors.every((floor) => floor.test > arm("distilled").test));
});

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { openControl, phrase, type TokenHmm } from "../../control/mod.ts";
import type { CausalLm } from "../../teachers/causal_sampling.ts";
import { codeBlocksOf } from "../docs/code_blocks.ts";
import { command, Folder, outputValue, ROOT } from "../command.ts";

Deno.test("a language model is trained, distilled and kept to a constraint; nothing it draws breaks it", async () => {
  using folder = new Folder();
  const settings = [
    ...["from=2000", "minimum=60", "width=16", "passes=1", "texts=100", "length=12", "states=4", "epochs=1"],
    ...["count=6", "attempts=64", 'constraint={"all":[" the",{"words":[3,8]}]}'],
  ];
  const store = ["--store", folder.store];
  const ran = await command("run", [
    `${ROOT}/pipelines/controlled.ts`,
    ...store,
    ...["--jobs", "0"],
    ...settings.flatMap((one) => ["--set", one]),
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  const shown = (output: string) => outputValue(folder.store, output);
  const { rows, quality } = await shown("table");
  assert.deepEqual(
    rows.slice(0, 2).map((row: { method: string; satisfied: number }) => [row.method, row.satisfied]),
    [["look-ahead", 1], ["mask", 1]],
  );
  assert.ok(quality.languageModel > 0 && quality.hmm > 0);
  const { texts } = await shown("texts");
  assert.equal(texts.length, 6);
  for (const { text } of texts) {
    const words = text.split(/\s+/).length;
    assert.ok(text.includes(" the") && words >= 3 && words <= 8, text);
  }
  const { logProbability } = await shown("plan");
  assert.ok(logProbability < 0);
  // What was trained is exported, and opened as the documentation does.
  const exported = await command("export", ["latest", `${folder.path}/out`, ...store]);
  assert.equal(exported.code, 0, exported.stderr);
  const block = codeBlocksOf("docs/control.md").find(({ code }) => code.includes("openTrained("))!;
  Deno.writeTextFileSync(`${folder.path}/example.ts`, block.code);
  const { openTrained } = await import(pathToFileURL(`${folder.path}/example.ts`).href) as {
    openTrained(folder: string): Promise<{ model: CausalLm; hmm: TokenHmm }>;
  };
  const { model, hmm } = await openTrained(`${folder.path}/out`);
  await using own = model;
  await using control = await openControl(hmm, own.vocabulary);
  const plan = await control.plan(phrase(" the"), { tokens: [2, 8] });
  for await (const { text } of plan.draw(own, { count: 3, seed: 1 })) assert.match(text, / the/);
});

import assert from "node:assert/strict";
import { runStage } from "retort/testing";
import { comparePerplexities } from "./mine.ts";

const score = (perplexity: number) => ({ perplexity, bitsPerToken: Math.log2(perplexity), tokens: 1 });

Deno.test("of each pair the model of lower perplexity is named, and how much lower it is", async () => {
  const { table: { models } } = await runStage(comparePerplexities, {
    distilled: [score(75), score(100)],
    random: [score(100), score(80)],
  }, { models: ["small", "large"] });
  assert.deepEqual(models.map(({ model, better }) => [model, better]), [
    ["small", "distilled by 25.0 %"],
    ["large", "random by 20.0 %"],
  ]);
});

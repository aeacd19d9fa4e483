import assert from "node:assert/strict";
import { runStage } from "retort/testing";
import { comparePerplexities } from "./mine.ts";

const score = (perplexity: number) => ({ perplexity, bitsPerToken: Math.log2(perplexity), tokens: 1 });

Deno.test("the model of lower perplexity is named, and how much lower it is", async () => {
  const { table } = await runStage(comparePerplexities, { distilled: score(75), random: score(100) });
  assert.equal(table.better, "distilled by 25.0 %");
  const { table: other } = await runStage(comparePerplexities, { distilled: score(100), random: score(80) });
  assert.equal(other.better, "random by 20.0 %");
});

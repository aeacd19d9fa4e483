import assert from "node:assert/strict";
import { runStage } from "retort/testing";
import { comparePerplexities } from "./mine.ts";

const score = (perplexity: number) => ({ perplexity, bitsPerToken: Math.log2(perplexity), tokens: 1 });

Deno.test("the perplexity of the distilled model is so much lower", async () => {
  const { table } = await runStage(comparePerplexities, { distilled: score(75), random: score(100) });
  assert.equal(table.lower, "25.0 %");
});

import assert from "node:assert/strict";
import { all, openControl, quantised, tokenHmm, words } from "../../control/mod.ts";
import { randomNumbers } from "./brute_force.ts";
import { vocabularies } from "./vocabularies.ts";

const LETTERS = vocabularies["characters"]!;
const V = LETTERS.words.length;

Deno.test("emissions in 8 bits are distributions, and the loss is the divergence that is told", async () => {
  const numbers = randomNumbers(5, V, 8, 3);
  const emission = Float64Array.from(numbers.emission);
  // One token that a state never has, and one that is rarer than codes reach.
  emission[1]! += emission[0]!;
  emission[0] = 0;
  emission[V + 1]! += emission[V]! - 1e-30;
  emission[V] = 1e-30;
  const exact = tokenHmm({ ...numbers, emission });
  const { hmm, loss } = quantised(exact);
  assert.equal(hmm.emission.bits, 8);
  const losses = Array.from({ length: 5 }, (_, z) => {
    let sum = 0, divergence = 0;
    for (let token = 0; token < V; token++) {
      const p = exact.emission.row(token)[z]!, q = hmm.emission.row(token)[z]!;
      sum += q;
      if (p > 0) divergence += p * Math.log(p / q);
      else assert.equal(q, 0);
      if (p > 1e-9) assert.ok(Math.abs(Math.log(p / q)) < 0.11, `${p} and ${q}`);
    }
    assert.ok(Math.abs(sum - 1) < 1e-6);
    return divergence;
  });
  assert.ok(Math.abs(loss.largest - Math.max(...losses)) < 1e-6);
  assert.ok(Math.abs(loss.mean - losses.reduce((a, b) => a + b, 0) / 5) < 1e-6);
  assert.ok(loss.largest < 0.002 && loss.mean > 0, `${loss.mean} ${loss.largest}`);
  const constraint = all("ab", words(2, 3));
  await using a = await openControl(exact, LETTERS);
  await using b = await openControl(hmm, LETTERS);
  const [x, y] = await Promise.all([a, b].map((control) => control.plan(constraint, { tokens: [3, 12] })));
  assert.ok(
    Math.abs(x!.logProbability - y!.logProbability) < 0.2,
    `${x!.logProbability} ${y!.logProbability}`,
  );
});

Deno.test("plans that are made side by side do not read each other's rows of emissions", async () => {
  const { hmm } = quantised(tokenHmm(randomNumbers(4, V, 3, 1.2)));
  await using control = await openControl(hmm, LETTERS);
  const suffixes = ["ab ", " a", "baab"];
  const plan = (suffix: string) => control.plan("ab", { tokens: [2, 4], suffix });
  const together = await Promise.all(suffixes.map(plan));
  for (const [i, suffix] of suffixes.entries()) {
    const { logProbability } = await plan(suffix);
    assert.equal(together[i]!.logProbability, logProbability, suffix);
  }
});

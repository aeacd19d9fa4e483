import assert from "node:assert/strict";
import fc from "fast-check";
import { hmm, ReferenceEvaluator } from "../../circuits/mod.ts";
import { conditional } from "../../circuits/queries/conditional.ts";
import { excludeState } from "../../circuits/queries/exclude.ts";
import { marginal } from "../../circuits/queries/likelihood.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import { holds } from "../property.ts";

const LENGTH = 4, SYMBOLS = 3;

Deno.test("what is told not to be in a state is given that: as counting over all fillings has it", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.nat(1000),
      fc.uniqueArray(fc.nat(LENGTH - 1), { minLength: 1, maxLength: 3 }),
      fc.nat(SYMBOLS - 1),
      fc.array(fc.nat(SYMBOLS - 1), { minLength: LENGTH, maxLength: LENGTH }),
      async (seed, blanks, state, given) => {
        const circuit = hmm({ length: LENGTH, states: 2, symbols: SYMBOLS, seed });
        const reference = new ReferenceEvaluator(circuit);
        const observed = Uint8Array.from({ length: LENGTH }, (_, v) => blanks.includes(v) ? 0 : 1);
        const samples = { count: 1, variables: LENGTH, values: Int32Array.from(given), observed };
        const asked = excludeState(circuit, blanks, state);
        const evaluator = new ReferenceEvaluator(asked.circuit);
        const found = await conditional(evaluator, asked.condition(samples), blanks);

        const everywhere = [...given.keys()];
        const wanted = blanks.map(() => new Float64Array(SYMBOLS));
        for (let n = 0; n < SYMBOLS ** blanks.length; n++) {
          const filling = blanks.map((_, i) => Math.floor(n / SYMBOLS ** i) % SYMBOLS);
          if (filling.includes(state)) continue;
          const values = Int32Array.from(given);
          blanks.forEach((v, i) => values[v] = filling[i]!);
          const [log] = await marginal(reference, { count: 1, variables: LENGTH, values }, everywhere);
          filling.forEach((k, i) => wanted[i]![k]! += Math.exp(log!));
        }
        blanks.forEach((v, i) => {
          const total = wanted[i]!.reduce((a, b) => a + b);
          found.get(v)!.forEach((p, k) =>
            assert.ok(Math.abs(p - wanted[i]![k]! / total) < 1e-6, `${p}, not ${wanted[i]![k]! / total}`)
          );
        });
        const drawn = await sampleMissing(evaluator, asked.condition(samples), { seed: 1, draws: 20 });
        for (let d = 0; d < 20; d++) {
          for (const v of blanks) assert.notEqual(drawn.values[d * drawn.variables + v], state);
        }
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("states that make nothing else are left, and what cannot be is refused", async () => {
  // State 0 makes symbol 0 alone, and everything begins there.
  const circuit = hmm({
    ...{ length: 2, states: 2, symbols: 2, initial: [0.9, 0.1] },
    ...{ transition: [0.5, 0.5, 0.5, 0.5], emission: [1, 0, 0, 1] },
  });
  const { circuit: asked, condition } = excludeState(circuit, [0], 0);
  const nothing = { count: 1, variables: 2, values: new Int32Array(2), observed: new Uint8Array(2) };
  const rows = await conditional(new ReferenceEvaluator(asked), condition(nothing), [0]);
  assert.deepEqual([...rows.get(0)!].map((p) => Math.round(p * 1e6) / 1e6), [0, 1]);
  assert.throws(() => excludeState(circuit, [0], 2), /variable 0 `x0` has no state 2 besides others/);
});

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { amountOf, KEPT, type StepName, stepRules, STEPS, type UpdateStep } from "../../circuits/mod.ts";
import { deviceSteps } from "../../kernels/steps/mod.ts";
import { holds } from "../property.ts";

const ROOT = new URL("../../", import.meta.url);

/** A step of a kind with a number. */
function stepOf(kind: StepName, amount: number): UpdateStep {
  const { number } = stepRules[kind];
  return { kind, ...(number !== undefined && { [number]: amount }) } as UpdateStep;
}

Deno.test("every kind of step is on the host and on devices", () => {
  assert.deepEqual(Object.keys(deviceSteps), STEPS);
  const { em: _, ...others } = deviceSteps;
  // @ts-expect-error a kind that devices do not know does not compile
  const unwired: Readonly<Record<StepName, string>> = others;
  assert.equal(Object.keys(unwired).length, STEPS.length - 1);
  for (const kind of STEPS) assert.equal(amountOf(stepOf(kind, 0.25)), stepRules[kind].number ? 0.25 : 0);
});

Deno.test("every kind of step makes rows that sum to one, and keeps those that nothing reached", (t) => {
  holds(
    t,
    fc.property(
      fc.constantFrom(...STEPS),
      fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1, noNaN: true })),
      fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
      fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e6, noNaN: true })),
      (kind, amount, smoothed, prior) => {
        // Samples that say nothing, by a step that does nothing.
        if (amount === 0 && prior === 0 && stepRules[kind].priors) return;
        const { keep, take } = stepRules[kind].factors(amount, smoothed, prior);
        assert.ok(keep >= 0 && keep <= 1 && take >= 0);
        assert.ok(Math.abs(keep + take * smoothed - 1) < 1e-12, `${kind}: ${keep} + ${take} * ${smoothed}`);
        assert.deepEqual(stepRules[kind].factors(amount, 0, 0), KEPT);
      },
    ),
  );
});

Deno.test("nothing but a kind's own files knows it by its name", () => {
  const compares = new RegExp(String.raw`\.kind\s*[!=]==\s*["'](${STEPS.join("|")})["']`);
  const found: string[] = [];
  const look = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
      const file = `${folder}/${name}`;
      if (isDirectory) look(file);
      else if (/\.tsx?$/.test(name) && !file.includes("/steps/")) {
        Deno.readTextFileSync(new URL(file, ROOT)).split("\n").forEach((line, i) => {
          if (compares.test(line)) found.push(`${file}:${i + 1}: ${line.trim()}`);
        });
      }
    }
  };
  for (const room of ["circuits", "kernels", "stages", "web"]) look(room);
  assert.deepEqual(found, []);
});

import assert from "node:assert/strict";
import { hmm, logLikelihood, ReferenceEvaluator, unobserved } from "../../circuits/mod.ts";
import { openEngine } from "../../kernels/open.ts";
import { engineSuite } from "./engine_suite.ts";

// The suite itself, on what needs no engine: what it demands can be had.
engineSuite({
  name: "reference",
  circuits: 2,
  open: (circuit) => Object.assign(new ReferenceEvaluator(circuit), { close: () => Promise.resolve() }),
});

Deno.test("an engine is opened by its name", async () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 2 });
  const engine = await openEngine(circuit, { engine: "cpu", threads: 1 });
  assert.equal(engine.name, "cpu");
  assert.match(engine.adapter, /ONNX Runtime.* 1 thread$/);
  for (const log of await logLikelihood(engine, unobserved(2, 3))) assert.ok(Math.abs(log) < 1e-6);
  await engine.close();
  await assert.rejects(openEngine(circuit, { engine: "abacus" as "cpu" }), /no engine `abacus`/);
});

import assert from "node:assert/strict";
import { findGpu } from "../../foundation/gpu.ts";
import { ReferenceLearner } from "../../circuits/reference_learner.ts";
import { type Diagnosis, selfTest } from "../../kernels/doctor.ts";
import type { Engine } from "../../kernels/engine.ts";
import { command } from "../command.ts";
import { partNeeds } from "../needs.ts";

Deno.test("the doctor examines every engine and says what auto picks", async () => {
  const { code, stdout, stderr } = await command("doctor", ["--json"]);
  assert.equal(code, 0, stderr);
  const { engines, auto } = JSON.parse(stdout) as Diagnosis;
  const [cpu, ...gpus] = engines;
  assert.equal(cpu!.engine, "cpu");
  assert.ok(gpus.length > 0 && gpus.every(({ engine }) => engine === "webgpu"));
  for (const { selfTest, learning, problem } of engines) {
    if (problem !== undefined) continue;
    assert.ok(selfTest!.passed && selfTest!.circuits >= 2);
    assert.ok(selfTest!.nats < 1e-4 && learning! > 0);
  }
  const adapter = (await findGpu()?.requestAdapter())?.info.description;
  if (!partNeeds("webgpu", adapter !== undefined)) {
    assert.match(gpus[0]!.problem!, /finds no adapter/);
  } else {
    const found = gpus.find((gpu) => gpu.adapter === adapter)!;
    assert.ok(found.product! > 0 && found.bandwidth! > 0);
    assert.ok(found.device!.limits.binding >= 2 ** 27);
  }
  assert.equal(auto, gpus.some(({ device }) => device?.software === false) ? "webgpu" : "cpu");
});

Deno.test("the doctor names the adapters where there is none of a name, and the exit code tells", async () => {
  const { code, stdout } = await command("doctor", ["--adapter", "abacus"]);
  assert.equal(code, 1);
  assert.match(stdout, /no adapter is named like this; there is `|finds no adapter/);
});

Deno.test("the self-test finds an engine that is wrong", async () => {
  const wrong = await selfTest((circuit) => {
    const learner = new ReferenceLearner(circuit);
    const flows = learner.flows.bind(learner);
    const broken = async (...args: Parameters<typeof flows>) => {
      const found = await flows(...args);
      return { ...found, logLikelihoods: found.logLikelihoods.map((log, s) => s === 3 ? log + 0.01 : log) };
    };
    return Promise.resolve(Object.assign(learner, { flows: broken }) as unknown as Engine);
  }, 0);
  assert.equal(wrong.passed, false);
  assert.ok(Math.abs(wrong.nats - 0.01) < 1e-6);
  const right = await selfTest((circuit) => Promise.resolve(new ReferenceLearner(circuit) as never), 0);
  assert.ok(right.passed);
});

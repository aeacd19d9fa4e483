import assert from "node:assert/strict";
import { hmm, sample } from "../../circuits/mod.ts";
import { ReferenceEvaluator } from "../../circuits/reference.ts";
import { openEngine } from "../../kernels/open.ts";
import { KeptGraphs } from "../../kernels/onnx/kept_graphs.ts";

const MODEL = { states: 3, symbols: 5, length: 4 };

Deno.test("an engine takes the graphs that an earlier one of its structure left, and computes the same bits", async () => {
  const graphs = new KeptGraphs(),
    samples = await sample(new ReferenceEvaluator(hmm(MODEL)), 20, { seed: 1 });
  const flows = async (seed: number, kept?: KeptGraphs) => {
    await using engine = await openEngine(hmm({ ...MODEL, seed }), {
      engine: "cpu",
      threads: 1,
      ...(kept && { graphs: kept }),
    });
    return await engine.flows(samples);
  };
  assert.deepEqual(await flows(1, graphs), await flows(1));
  assert.equal(graphs.size, 1);
  {
    await using engine = await openEngine(hmm(MODEL), { engine: "cpu", threads: 1, graphs });
    await engine.flows(samples);
    assert.equal(graphs.size, 0, "it is in use");
  }
  assert.deepEqual(await flows(2, graphs), await flows(2), "with other parameters");
  assert.equal(graphs.size, 1);
  await using other = await openEngine(hmm({ ...MODEL, length: 3 }), { engine: "cpu", threads: 1, graphs });
  await other.flows(await sample(new ReferenceEvaluator(hmm({ ...MODEL, length: 3 })), 2, { seed: 1 }));
  assert.equal(graphs.size, 0, "another structure frees it");
});

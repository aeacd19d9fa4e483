import assert from "node:assert/strict";
import { usefulAxes } from "../../web/dashboard/axes.ts";
import { WrittenStore } from "./records.ts";

Deno.test("a plot begins with what measures the question at the end of its subject, against what varies among finished runs", () => {
  using written = new WrittenStore();
  const { records } = written;
  const headline = {
    ...{ metric: "test perplexity", direction: "lower" as const, baseline: "random", arms: {} },
    values: [{ output: "table", value: "test", arm: "{arm}", reference: false }],
  };
  const axes = () => usefulAxes(records, records.runs());
  const addRun = (id: string, started: number, params: Record<string, number | string>, status = "done") =>
    written.addRun(id, { started, params, status: status as "done" });

  assert.equal(axes(), null);
  addRun("plain", 1, { size: 1 });
  written.addNode("plain", "measure", {}, [["speed", null, 1]]);
  assert.deepEqual(axes(), { x: "param:size", y: "metric:measure/speed" }, "nothing varies yet");

  for (const [id, started, states] of [["a", 2, 8], ["b", 3, 16]] as const) {
    addRun(id, started, { words: `${id}`, seed: started, states, epochs: 4 });
    records.putQuestion(id, { question: "Is it better?", headline });
    const arms = [["smooth", "random"], ["smooth 2", "distilled"], ["score", "random"], [
      "score 2",
      "distilled",
    ], [
      "pairs",
      "bigram",
    ]] as const;
    for (const [name, arm] of arms) {
      written.addNode(id, name, { stage: name.split(" ")[0]!, params: { weight: 1 } }, [
        ["nats", null, 1],
        ["perplexity", null, 2],
      ]);
      records.putArm(id, { node: name, arm, setting: "" });
    }
  }
  assert.deepEqual(
    axes(),
    { x: "param:states", y: "metric:score/perplexity" },
    "numbers before words, no seed",
  );
  // What was cut off early may have been called with anything.
  addRun("broken", 4, { words: "c", seed: 1, states: 8, epochs: 100 }, "failed");
  assert.deepEqual(axes()?.x, "param:states");

  // A sweep within one run: a parameter of the measured nodes.
  const [newest] = records.runs().filter(({ id }) => id === "b");
  written.addNode("b", "score 3", { stage: "score", params: { weight: 2 } }, [["perplexity", null, 3]]);
  assert.deepEqual(usefulAxes(records, [newest!]), { x: "node:weight", y: "metric:score/perplexity" });
});

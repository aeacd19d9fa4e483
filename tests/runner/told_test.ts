import assert from "node:assert/strict";
import fc from "fast-check";
import type { JobMessage } from "../../runner/execute/job.ts";
import { telling } from "../../runner/execute/told.ts";
import { messageOf, textOf } from "../../foundation/errors.ts";
import { holds } from "../property.ts";

/** Any value at all, and those that often go wrong. */
const anything = fc.oneof(
  fc.anything({
    withBigInt: true,
    withNullPrototype: true,
    withDate: true,
    withMap: true,
    withSparseArray: true,
  }),
  fc.constantFrom(
    NaN,
    Infinity,
    -Infinity,
    undefined,
    null,
    "",
    "\0",
    "\n",
    "\ud800",
    Symbol("s"),
    10n ** 400n,
  ),
  fc.string({ unit: "binary" }),
  fc.double(),
);

Deno.test("any value told by a stage becomes messages that can be sent and recorded", (test) => {
  holds(
    test,
    fc.property(anything, anything, anything, (a, b, c) => {
      const messages: JobMessage[] = [];
      // deno-lint-ignore no-explicit-any -- what the types forbid is what is tried
      const told = telling((message) => messages.push(message)) as any;
      told.log(a);
      told.progress(a, b, c);
      told.metric(a, b, c);
      told.metric("name", a, b);
      const engine = told.engine(a, b);
      for (const message of messages) {
        assert.deepEqual(JSON.parse(JSON.stringify(message)), message, "nothing is lost on the way");
        for (const text of Object.values(message)) {
          assert.ok(typeof text !== "string" || text.isWellFormed(), "UTF-8 can hold it");
        }
        if (message.type === "progress") {
          assert.ok(Number.isFinite(message.done) && Number.isFinite(message.total ?? 0));
          assert.ok(message.unit === undefined || message.unit !== "");
        } else if (message.type === "metric") {
          assert.ok(message.name !== "" && message.name.length <= 200);
          assert.ok(message.value === null || Number.isFinite(message.value));
          assert.ok(message.step === undefined || Number.isFinite(message.step));
          // deno-lint-ignore no-control-regex -- control characters are what is looked for
          assert.doesNotMatch(message.name, /[\u0000-\u001f]/);
        } else assert.equal(message.type, "log");
      }
      assert.ok(engine === undefined || typeof engine.engine === "string" && engine.engine !== "");
      assert.equal(typeof messageOf(a), "string");
      assert.equal(typeof textOf(a), "string");
    }),
  );
});

Deno.test("what is right is told as it is", () => {
  const messages: JobMessage[] = [];
  const told = telling((message) => messages.push(message));
  told.log("a line");
  told.progress(3, 10, "steps");
  told.progress(4);
  told.metric("loss", 0.5, 7);
  told.metric("loss", NaN, 8);
  told.metric("loss", NaN, 9);
  assert.deepEqual(messages, [
    { type: "log", text: "a line" },
    { type: "progress", done: 3, total: 10, unit: "steps" },
    { type: "progress", done: 4 },
    { type: "metric", name: "loss", value: 0.5, step: 7 },
    {
      type: "log",
      text: "warning: metric loss is NaN at step 8; values that are not finite are recorded as missing",
    },
    { type: "metric", name: "loss", value: null, step: 8 },
    { type: "metric", name: "loss", value: null, step: 9 },
  ]);
  assert.deepEqual(told.engine("webgpu", "an adapter"), { engine: "webgpu", adapter: "an adapter" });
});

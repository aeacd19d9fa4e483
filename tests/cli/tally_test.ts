import assert from "node:assert/strict";
import { Tally } from "../../cli/tally.ts";
import type { RunEvent } from "../../runner/event.ts";

/** An event of a node; a tally looks at nothing but its type and the node's name. */
function event(type: RunEvent["type"], name: string): RunEvent {
  return { type, node: { name } } as unknown as RunEvent;
}

Deno.test("the line of a whole run counts nodes by what became of them", () => {
  const tally = new Tally();
  assert.equal(tally.text(), undefined);
  tally.count(
    { type: "run-start", run: "", folder: "", plan: Array.from({ length: 5000 }) } as unknown as RunEvent,
  );
  for (let i = 0; i < 57; i++) tally.count(event("node-done", `cached ${i}`));
  assert.equal(tally.text(), "57 of 5,000 nodes");
  for (const name of ["a", "b", "c"]) tally.count(event("node-start", name));
  assert.equal(tally.text(), "57 of 5,000 nodes, 3 at work");
  tally.count(event("node-done", "a"));
  tally.count(event("node-failed", "b"));
  tally.count(event("node-skipped", "after b"));
  assert.equal(tally.text(), "58 of 5,000 nodes, 1 at work, 1 failed, 1 skipped");
  tally.count(event("node-again", "a"));
  tally.count(event("node-start", "a"));
  assert.equal(tally.text(), "57 of 5,000 nodes, 2 at work, 1 failed, 1 skipped");
  tally.count(event("node-done", "a"));
  tally.count(event("node-interrupted", "c"));
  assert.equal(tally.text(), "58 of 5,000 nodes, 1 failed, 1 skipped");
});

Deno.test("one node needs no line of the whole run", () => {
  const tally = new Tally();
  tally.count({ type: "run-start", run: "", folder: "", plan: [{}] } as unknown as RunEvent);
  assert.equal(tally.text(), undefined);
});

Deno.test("the line says how long the rest takes, by what nodes of a stage took", () => {
  const tally = new Tally();
  const node = (stage: string, name: string) => ({ name, stage: { name: stage } });
  const plan = [
    ...Array.from({ length: 4 }, (_, i) => ({ status: "cached", node: node("read", `read ${i}`) })),
    ...Array.from({ length: 12 }, (_, i) => ({ status: "run", node: node("train", `train ${i}`) })),
  ];
  const tell = (one: unknown) => tally.count(one as RunEvent);
  tell({ type: "run-start", run: "", folder: "", plan });
  for (const { node } of plan.slice(0, 4)) tell({ type: "node-done", how: "cached", seconds: 9, node });
  for (const { node } of plan.slice(4, 6)) tell({ type: "node-start", node });
  assert.doesNotMatch(tally.text()!, /left/, "nothing has run yet");
  for (const { node } of plan.slice(4, 6)) tell({ type: "node-done", how: "ran", seconds: 144, node });
  assert.equal(tally.text(), "6 of 16 nodes, 12 min left", "ten nodes of 144 s, two at once");
});

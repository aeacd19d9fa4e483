import assert from "node:assert/strict";
import fc from "fast-check";
import { ReadyNodes } from "../../runner/ready.ts";
import { holds } from "../property.ts";

/** Nodes wait in three lanes. */
const laneOf = (node: number) => ["small", "large", "engine"][node % 3]!;

Deno.test("ready nodes come by lane in their order; those put aside come back when they are released", (test) => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("add" as const), node: fc.nat(99) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("take" as const),
        lane: fc.constantFrom("small", "large", "engine"),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("aside" as const),
        node: fc.nat(99),
        key: fc.constantFrom("a", "b"),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("release" as const),
        key: fc.constantFrom("a", "b"),
        most: fc.constantFrom(1, 2, undefined),
      }),
    },
    // Rarely, so that there is something to forget.
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
  );
  holds(
    test,
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const ready = new ReadyNodes(laneOf);
      // The same with plain lists.
      let list: number[] = [];
      let aside: [string, number][] = [];
      let rounds = 0;
      for (const one of operations) {
        switch (one.kind) {
          case "add":
            ready.add(one.node);
            list.push(one.node);
            break;
          case "take": {
            const at = list.findIndex((node) => laneOf(node) === one.lane);
            assert.equal(ready.take(one.lane), at < 0 ? undefined : list.splice(at, 1)[0]);
            break;
          }
          case "aside":
            ready.putAside(one.key, one.node);
            aside.push([one.key, one.node]);
            break;
          case "release": {
            const back = aside.filter(([key]) => key === one.key).slice(0, one.most);
            ready.release(one.key, one.most);
            aside = aside.filter((entry) => !back.includes(entry));
            list.push(...back.map(([, node]) => node));
            break;
          }
          case "clear":
            ready.clear();
            [list, aside, rounds] = [[], [], rounds + 1];
        }
        assert.equal(ready.size, list.length);
        assert.deepEqual(ready.waiting, [...new Set(list.map(laneOf))], "that of the oldest node first");
        assert.equal(ready.round, rounds);
      }
    }),
  );
});

Deno.test("a queue of ten thousand keeps its order while it is used up and filled again", () => {
  const ready = new ReadyNodes(() => "one");
  let added = 0;
  for (let taken = 0; taken < 10_000; taken++) {
    while (added < taken + 3000 && added < 10_000) ready.add(added++);
    assert.equal(ready.take("one"), taken);
  }
  assert.equal(ready.take("one"), undefined);
});

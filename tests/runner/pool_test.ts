import assert from "node:assert/strict";
import fc from "fast-check";
import { killsIn, memoryOf } from "../../runner/execute/memory.ts";
import { memoryBytes, mergePolicies, policyFaults } from "../../runner/policy.ts";
import { type Demand, Pool } from "../../runner/pool.ts";
import { ReadyNodes } from "../../runner/ready.ts";
import { holds } from "../property.ts";

const demand = fc.record({
  engine: fc.boolean(),
  cores: fc.constantFrom(0.5, 1, 2, 3),
  memory: fc.constantFrom(0, 10, 60),
  gpus: fc.constantFrom(0, 1),
});

Deno.test("a pool never gives more than it has, and every node has its turn", async (t) => {
  await holds(
    t,
    fc.property(fc.array(demand, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (demands, chance) => {
      const capacity = { cores: 2, memory: 100, gpus: 1 };
      const pool = new Pool<Demand>(capacity, 2, (node) => node);
      const ready = new ReadyNodes<Demand>(pool.laneOf);
      demands.forEach((one) => ready.add(one));
      const running: { node: Demand; lane: string }[] = [];
      let done = 0;
      while (done < demands.length) {
        for (let lane = pool.next(ready.waiting); lane !== undefined; lane = pool.next(ready.waiting)) {
          pool.take(lane);
          running.push({ lane, node: ready.take(lane)! });
        }
        assert.ok(running.length > 0, "something can always run");
        const taken = (of: "cores" | "memory" | "gpus") =>
          running.reduce((sum, { node }) => sum + Math.min(node[of], capacity[of]), 0);
        assert.ok(taken("cores") <= 2 && taken("memory") <= 100 && taken("gpus") <= 1);
        assert.ok(running.filter(({ node }) => node.engine).length <= 1);
        assert.ok(running.filter(({ node }) => !node.engine).length <= 2);
        const [ended] = running.splice(chance.next().value! % running.length, 1);
        pool.give(ended!.lane);
        done++;
      }
    }),
  );
});

Deno.test("small nodes do not keep a large one from ever beginning", () => {
  const large = { engine: false, cores: 2, memory: 0, gpus: 0 }, small = { ...large, cores: 1 };
  const pool = new Pool<Demand>({ cores: 2, memory: 0, gpus: 0 }, 2, (node) => node);
  const ready = new ReadyNodes<Demand>(pool.laneOf);
  const begin = () => {
    const lane = pool.next(ready.waiting);
    if (lane === undefined) return undefined;
    pool.take(lane);
    return { lane, node: ready.take(lane)! };
  };
  ready.add(small);
  let running = begin()!;
  ready.add(large);
  for (let overtakes = 0;; overtakes++) {
    assert.ok(overtakes < 50);
    ready.add(small);
    const next = begin();
    pool.give(running.lane);
    if (next === undefined) break;
    running = next;
  }
  assert.equal(begin()!.node, large);
});

Deno.test("amounts of memory are read in both kinds of units", () => {
  assert.equal(memoryBytes("4 GB"), 4e9);
  assert.equal(memoryBytes("1.5GiB"), 1.5 * 2 ** 30);
  assert.equal(memoryBytes("512 mb"), 512e6);
  assert.equal(memoryBytes("100"), 100);
  for (const odd of ["", "GB", "4 PB", "-1 GB", "4 GB or so"]) assert.equal(memoryBytes(odd), undefined, odd);
});

Deno.test("the memory of a process is that of all that it started", () => {
  const listing = " 1 0 100\n 5 1 20\n 6 5 3\n 7 1 4000\n 8 6 1\nodd line\n";
  assert.equal(memoryOf(5, listing), 24 * 1024);
  assert.equal(memoryOf(99, listing), 0);
  assert.equal(killsIn("low 0\noom 3\noom_kill 2\noom_group_kill 0\nnr_free 1\noom_kill 5\n"), 7);
});

Deno.test("later layers of policies say more, part by part", () => {
  const merged = mergePolicies(
    { resources: { cores: 2, time: 60 }, retries: { times: 1, wait: 5 } },
    { resources: { time: 90 } },
    { retries: { times: 3 } },
  );
  assert.deepEqual(merged, { resources: { cores: 2, time: 90 }, retries: { times: 3 } });
  assert.deepEqual(policyFaults(merged), []);
  assert.equal(policyFaults({ resources: { cores: 0, tiem: 3 }, retries: { times: Infinity } }).length, 3);
});

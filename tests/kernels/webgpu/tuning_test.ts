import assert from "node:assert/strict";
import { hmm, samplesFromRows } from "../../../circuits/mod.ts";
import { planOf } from "../../../kernels/plan.ts";
import { openEngine } from "../../../kernels/open.ts";
import type { OpenDevice } from "../../../kernels/webgpu/device.ts";
import { WebGpuEngine } from "../../../kernels/webgpu/engine.ts";
import { candidateTiles, defaultTiles, type Tile } from "../../../kernels/webgpu/tiles.ts";
import { productShapes, shapeClass, tunedTiles, type Tuning } from "../../../kernels/webgpu/tuning.ts";
import { randomBatch } from "../../circuits/learner_conformance.ts";
import { host, onGpu } from "./host.ts";

const circuit = hmm({ length: 4, states: 70, symbols: 9, seed: 1 });
const SOFTWARE = { adapter: { software: true } } as OpenDevice;
const samples = samplesFromRows(randomBatch(circuit, 40, 1));

Deno.test("products are tuned by classes of their shape; small ones are not", () => {
  const classOf = (form: "forward" | "flows", rows: number, columns: number, folds: number) =>
    shapeClass({ form, rows, columns, folds });
  assert.equal(classOf("forward", 256, 500, 1), "forward 256 x1");
  assert.equal(classOf("forward", 256, 500, 30), "forward 256 x16");
  assert.equal(classOf("forward", 8, 500, 1), undefined);
  assert.equal(classOf("flows", 64, 5000, 3), "flows 64x1024 x1");
  assert.equal(classOf("flows", 8, 5000, 1), undefined);
  assert.deepEqual(productShapes(SOFTWARE, planOf(circuit)).map(shapeClass), [
    "forward 64 x1",
    "backward 64 x1",
    "flows 64x64 x1",
  ]);
  assert.deepEqual(productShapes(SOFTWARE, planOf(hmm({ length: 4, states: 8, symbols: 9 }))), []);
});

Deno.test({
  ...onGpu,
  name: "tiles are measured once, kept by adapter, and chosen; what is kept can be overridden",
  async fn() {
    const kept = new Map<string, Tuning>();
    let loads = 0;
    const store = {
      load: () => (loads++, Promise.resolve(Object.fromEntries(kept))),
      save: (adapter: string, tuning: Tuning) => Promise.resolve(void kept.set(adapter, tuning)),
    };
    const first = await openEngine(circuit, { engine: "webgpu", tuning: store });
    const { adapter } = first;
    await first.close();
    const measured = kept.get(adapter)!;
    assert.deepEqual(Object.keys(measured.tiles), ["forward 64 x1", "backward 64 x1", "flows 64x64 x1"]);
    for (const rate of Object.values(measured.rate!)) {
      assert.ok(rate > 1e6 && rate < 1e16, `${rate} a second`);
    }
    assert.ok(measured.rate!.alone < 4 * measured.rate!.flops, "a workgroup is not faster than the adapter");

    // What is there is not measured again.
    const small: Tile = { kind: "register", rows: 4, columns: 4, x: 8, y: 4 };
    const edited = { ...measured, tiles: { ...measured.tiles, "forward 64 x1": small } };
    kept.set(adapter, edited);
    await (await openEngine(circuit, { engine: "webgpu", tuning: store })).close();
    assert.deepEqual(kept.get(adapter), edited);
    assert.equal(loads, 2);
    const ready = await host.ready();
    const choose = tunedTiles(ready, kept.get(adapter)!);
    assert.deepEqual(choose({ form: "forward", rows: 512, columns: 90, folds: 1 }), small);
    const other = { form: "forward", rows: 512, columns: 900, folds: 1 } as const;
    assert.deepEqual(choose(other), defaultTiles(ready.open)(other));

    // Without a store nothing is measured.
    const plain = await WebGpuEngine.open(host, circuit);
    assert.deepEqual(plain.tuning, { tiles: {} });
    await plain.close();
  },
});

Deno.test({
  ...onGpu,
  name: "the tile decides how fast a product is, not what it is: counts have the same bits",
  async fn() {
    const tiles = candidateTiles((await host.ready()).open);
    tiles.push({ kind: "shared", rows: 4, columns: 4, x: 8, y: 8, depth: 16 });
    tiles.push(
      ...[[8, 8, 16], [4, 8, 8], [4, 4, 8]].map(([rows, columns, y]) =>
        ({ kind: "shared", rows, columns, x: 16, y }) as Tile
      ),
    );
    const found = [];
    for (const tile of tiles) {
      const engine = await WebGpuEngine.open(host, circuit, { tiles: () => tile });
      const { logLikelihoods, weights, statistics } = await engine.flows(samples);
      found.push({ logLikelihoods, weights, statistics });
      await engine.close();
    }
    for (const other of found.slice(1)) assert.deepEqual(other, found[0]);
  },
});

import { countShard, joinParts, stepPart } from "../../circuits/learning/shards.ts";
import { ascending, batchCount, batchOf, readBatch } from "../../circuits/learning/source.ts";
import { KeptGraphs } from "../../kernels/onnx/kept_graphs.ts";
import { openEngine } from "../../kernels/open.ts";
import type { Artifact, ReadOf } from "../../runner/codec.ts";
import { artifactReader, writeArtifact } from "../../runner/store/artifacts.ts";
import type { Store } from "../../runner/store/store.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { parameterPart, shardCounts } from "../../stages/codecs/table_parts.ts";
import { tokens, windows } from "../../stages/text/codecs.ts";
import { WindowSource } from "../../stages/text/window_source.ts";
import { type Figure, figure, workOf } from "../measure.ts";

/** What an epoch in shards reads. */
export interface ShardedInputs {
  readonly circuit: Artifact;
  readonly text: Artifact;
  readonly windows: Artifact;
}

const RULE = {
  step: { kind: "em" },
  sums: { pseudocount: 0.01 },
  leaves: { pseudocount: 0.01 },
} as const;

/**
 * Where the time of an epoch in shards goes: what its nodes do, one thing after the other in this process on one thread, with one of
 * the shards in the place of all of them.
 */
export async function measurePhases(store: Store, inputs: ShardedInputs, shards: number): Promise<Figure[]> {
  const spent = new Map<string, number>();
  const timed = async <T>(what: string, times: number, action: () => T | Promise<T>): Promise<T> => {
    let result: T;
    const { core } = await workOf(async () => result = await action());
    spent.set(what, times * core / 1000);
    return result!;
  };
  const read = async <C extends typeof circuit | typeof parameterPart>(codec: C, artifact: Artifact) =>
    await codec.read(artifactReader(store.blobs, artifact)) as ReadOf<C>;
  const graphs = new KeptGraphs(), options = { engine: "cpu", threads: 1, graphs } as const;
  const start = await read(circuit, inputs.circuit);
  const text = await tokens.read(artifactReader(store.blobs, inputs.text));
  const laid = await windows.read(artifactReader(store.blobs, inputs.windows));
  const source = await WindowSource.open(laid, text.ids);
  const one = ascending(source.count).subarray(0, Math.floor(source.count / shards));
  const whole = await openEngine(start, { ...options, graphs: new KeptGraphs() });
  const accumulate = async (last: number) => {
    for (let b = 0; b < Math.min(last, batchCount(one.length, 256)); b++) {
      const { samples, weights } = await readBatch(source, batchOf(one, b, 256));
      await whole.accumulate(samples, weights);
    }
  };
  const how = { shards, parts: 1, batchSize: 16_384 };
  // Whoever counts the first shard compiles: that comes once.
  {
    await using engine = await openEngine(start, options);
    await countShard(engine, { count: 1024, read: (rows) => source.read(rows) }, { ...how, shard: 0 });
    await accumulate(1);
    await whole.update(RULE);
  }
  await timed("E-step, in one place", shards, () => accumulate(Infinity));
  await timed("M-step, in one place", 1, () => whole.update(RULE));
  const before = await writeArtifact(
    store.blobs,
    parameterPart,
    new Map([...start.parameters].map(([id, { values }]) => [id, values])),
    "the parameters",
  );
  const model = await timed(
    "reading the model, by the shards and the step",
    shards + 1,
    async () => joinParts(await read(circuit, inputs.circuit), [await read(parameterPart, before)]),
  );
  await timed("reading the text", shards, async () => {
    const text = await tokens.read(artifactReader(store.blobs, inputs.text));
    await WindowSource.open(laid, text.ids);
  });
  const engine = await timed("opening the engine", shards, () => openEngine(model, options));
  const counts = await timed(
    "E-step, in shards",
    shards,
    () => countShard(engine, source, { ...how, shard: 0 }),
  );
  await engine.close();
  const written = await timed(
    "writing counts",
    shards,
    () => writeArtifact(store.blobs, shardCounts, counts, "the counts"),
  );
  const part = await timed("reading counts", shards, async () => {
    const stored = await shardCounts.read(artifactReader(store.blobs, written));
    return await stored.part(0);
  });
  const stepped = await timed(
    "adding them up, and the M-step",
    1,
    () => stepPart(model, Array.from({ length: shards }, () => part), RULE, { part: 0, parts: 1 }),
  );
  await timed(
    "writing the parameters",
    1,
    () => writeArtifact(store.blobs, parameterPart, stepped, "the parameters"),
  );
  await whole.close();
  await graphs.clear();
  const all = [...spent], sum = (some: typeof all) => some.reduce((total, [, seconds]) => total + seconds, 0);
  const inOne = sum(all.slice(0, 2)), inShards = sum(all.slice(2));
  return [
    ...all.map(([what, seconds]) => figure(`  ${what}`, "s", [seconds])),
    figure("what the shards add, without the runner", "%", [100 * (inShards / inOne - 1)]),
  ];
}

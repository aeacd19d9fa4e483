/** Codecs of what k-means in shards hands on between its nodes. */
import { decodeSafetensors, encodeSafetensors, type Tensor } from "../../circuits/safetensors.ts";
import type { ShardedKMeans, ShardSums } from "../../kernels/kmeans/shards.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

const tensor = (values: Tensor["values"]): Tensor => ({ shape: [values.length], values });

const STATE_FILE = "kmeans.safetensors";

/** Where k-means in shards is between two iterations: one safetensors file. */
export const shardedClustering: Codec<ShardedKMeans, ShardedKMeans, "sharded-clustering"> = defineCodec<
  ShardedKMeans,
  ShardedKMeans,
  "sharded-clustering"
>({
  name: "sharded-clustering",
  version: 1,
  async write({ metric, origin, centroids, run }, out) {
    const tensors = new Map([["origin", tensor(origin)], ["centroids", tensor(centroids)]]);
    await out.bytes(STATE_FILE, encodeSafetensors(tensors, { metric, run: JSON.stringify(run) }));
    return { iterations: run.inertia.length, converged: run.converged };
  },
  async read(artifact) {
    const { tensors, metadata } = decodeSafetensors(await artifact.bytes(STATE_FILE), STATE_FILE);
    return {
      metric: metadata.metric as ShardedKMeans["metric"],
      origin: tensors.get("origin")!.values as Float64Array,
      centroids: tensors.get("centroids")!.values as Float32Array,
      run: JSON.parse(metadata.run!),
    };
  },
});

const SUMS_FILE = "sums.safetensors";

/** What a pass over a shard gives, but for the labels; null where the clustering had converged before: one safetensors file. */
export const clusterSums: Codec<
  ShardSums | null,
  ShardSums | null,
  "cluster-sums"
> = defineCodec<
  ShardSums | null,
  ShardSums | null,
  "cluster-sums"
>({
  name: "cluster-sums",
  version: 1,
  async write(pass, out) {
    const tensors = pass === null ? [] : Object.entries({
      ...pass.sums,
      ...pass.far,
      whole: Float64Array.of(pass.mass, pass.spread),
    });
    const all = new Map(tensors.map(([name, values]) => [name, tensor(values)]));
    await out.bytes(SUMS_FILE, encodeSafetensors(all));
    return { clusters: pass?.sums.mass.length ?? 0 };
  },
  async read(artifact) {
    const { tensors } = decodeSafetensors(await artifact.bytes(SUMS_FILE), SUMS_FILE);
    const get = <T extends Tensor["values"]>(name: string) => tensors.get(name)!.values as T;
    if (tensors.size === 0) return null;
    const [mass, spread] = get<Float64Array>("whole") as unknown as [number, number];
    return {
      sums: {
        sums: get<Float64Array>("sums"),
        mass: get<Float64Array>("mass"),
        counts: get<Float64Array>("counts"),
      },
      mass,
      spread,
      far: {
        rows: get<Int32Array>("rows"),
        labels: get<Int32Array>("labels"),
        costs: get<Float32Array>("costs"),
      },
    };
  },
});

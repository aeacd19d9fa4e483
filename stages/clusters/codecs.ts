/** Codecs of clusters of vectors. */
import { RetortError } from "../../foundation/errors.ts";
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "../../circuits/safetensors.ts";
import type { KMeansState } from "../../kernels/kmeans/state.ts";
import type { Pca } from "../../kernels/pca.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { array } from "../../runner/codecs/array.ts";
import { json } from "../../runner/codecs/json.ts";

/** Cluster labels of rows. */
export interface ClusterLabels {
  /** `[rows]`: the cluster of each row. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** Number of clusters; every label is smaller. */
  readonly clusters: number;
}

const labelArray = array("labels", "i4", 1);

/** The cluster of every row of a matrix: one `.npy` file. */
export const clusterLabels: Codec<ClusterLabels, ClusterLabels, "cluster-labels"> = defineCodec<
  ClusterLabels,
  ClusterLabels,
  "cluster-labels"
>({
  name: "cluster-labels",
  version: 1,
  async write({ labels, clusters }, out) {
    const bad = labels.findIndex((label) => !(label >= 0 && label < clusters));
    if (bad >= 0) {
      throw new RetortError(
        "artifact/value",
        `label ${bad} is ${labels[bad]}, expected 0 to ${clusters - 1}`,
      );
    }
    return { ...await labelArray.write({ data: labels, shape: [labels.length] }, out), clusters };
  },
  async read(artifact) {
    const { data } = await labelArray.read(artifact);
    const { clusters } = artifact.artifact.facts as { clusters: number };
    return { labels: data as Int32Array<ArrayBuffer>, clusters };
  },
});

/** Centroids as exchanged by stages. */
export interface Centroids {
  /** `[positions, clusters, width]`. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Number of positions with their own clusters; 1 if all rows share clusters. */
  readonly positions: number;
  /** Number of clusters per position. */
  readonly clusters: number;
  /** Dimension of a centroid. */
  readonly width: number;
  /** Distance by which vectors are assigned to centroids. */
  readonly metric: "euclidean" | "cosine";
}

const centroidArray = array("centroids", "f4", 3);

/** Centroids of k-means: one `.npy` file `[positions, clusters, width]`. */
export const centroids: Codec<Centroids, Centroids, "centroids"> = defineCodec<
  Centroids,
  Centroids,
  "centroids"
>({
  name: "centroids",
  version: 1,
  async write({ values, positions, clusters, width, metric }, out) {
    return {
      ...await centroidArray.write({ data: values, shape: [positions, clusters, width] }, out),
      metric,
    };
  },
  async read(artifact) {
    const { data, shape } = await centroidArray.read(artifact);
    const [positions, clusters, width] = shape as [number, number, number];
    const { metric } = artifact.artifact.facts as Pick<Centroids, "metric">;
    return { values: data as Float32Array<ArrayBuffer>, positions, clusters, width, metric };
  },
});

/** Results of k-means for each position. */
export interface ClusterReport {
  /** Vectors at each position. */
  vectors: number;
  /** For each position the mean distance of vectors to their centroids, sizes of clusters, and the runs of which the best was kept. */
  positions: {
    distance: number;
    sizes: number[];
    runs: {
      iterations: number;
      distance: number;
      converged: boolean;
    }[];
  }[];
}

/** Results of k-means for each position. */
export const clusterReport: Codec<ClusterReport, ClusterReport, "cluster-report"> = json(
  "cluster-report",
  z.object({
    vectors: z.int(),
    positions: z.array(z.object({
      /** Mean squared distance of a vector from its centroid. */
      distance: z.number(),
      /** Number of vectors in each cluster. */
      sizes: z.array(z.int()),
      /** Number of iterations of each run, and whether it converged. */
      runs: z.array(z.object({ iterations: z.int(), distance: z.number(), converged: z.boolean() })),
    })),
  }),
  1,
  {
    summary: ({ vectors, positions }) =>
      positions.slice(0, 8).map(({ distance, sizes, runs }, p) => {
        const sorted = sizes.toSorted((a, b) => a - b);
        const empty = sizes.filter((size) => size === 0).length;
        return `${positions.length > 1 ? `position ${p}: ` : ""}${sizes.length} clusters of ${
          sorted[0]
        } to ` +
          `${sorted.at(-1)} vectors, median ${sorted[Math.floor(sorted.length / 2)]}` +
          `${empty > 0 ? `, ${empty} empty` : ""}; mean squared distance ${distance.toPrecision(4)}; ` +
          runs.map(({ iterations }) => iterations).join(" + ") + " iterations";
      }).join("\n") + (positions.length > 8 ? `\nand ${positions.length - 8} more positions` : "") +
      `\n${vectors} vectors`,
  },
);

/** State of a clustering between two iterations. */
export interface ClusteringState {
  /** The position being clustered. */
  readonly position: number;
  /** State of its k-means. */
  readonly state: KMeansState;
  /** Results of the earlier positions. */
  readonly done: readonly PositionResult[];
}

/** Results kept of a finished position. */
export interface PositionResult {
  /** Centres of the clusters, one after another. */
  readonly centroids: Float32Array;
  /** The cluster of each vector. */
  readonly labels: Int32Array;
  /** Mean distance of the vectors from their centres. */
  readonly distance: number;
  /** Number of vectors in each cluster. */
  readonly sizes: readonly number[];
  /** What each start came to. */
  readonly runs: readonly {
    readonly iterations: number;
    readonly distance: number;
    readonly converged: boolean;
  }[];
}

const STATE_FILE = "clustering.safetensors";

/** State of a clustering, for checkpoints: one bit-exact safetensors file. */
export const clusteringState: Codec<ClusteringState, ClusteringState, "clustering-state"> = defineCodec<
  ClusteringState,
  ClusteringState,
  "clustering-state"
>({
  name: "clustering-state",
  version: 1,
  async write({ position, state, done }, out) {
    const tensors = new Map<string, Tensor>();
    const put = (name: string, values: Tensor["values"] | undefined) => {
      if (values !== undefined) tensors.set(name, { shape: [values.length], values });
    };
    const { centroids, seen, best, ...rest } = state;
    put("centroids", centroids);
    put("seen", seen);
    put("best", best?.centroids);
    done.forEach((result, p) => {
      put(`done/${p}/centroids`, result.centroids);
      put(`done/${p}/labels`, result.labels);
    });
    const plain = {
      position,
      // JSON cannot represent NaN, which the inertia is if there is only one run.
      state: { ...rest, best: best && { restart: best.restart, inertia: String(best.inertia) } },
      done: done.map(({ distance, sizes, runs }) => ({ distance, sizes, runs })),
    };
    await out.bytes(STATE_FILE, encodeSafetensors(tensors, { state: JSON.stringify(plain) }));
    return { position, iteration: state.iteration };
  },
  async read(artifact) {
    const { tensors, metadata } = decodeSafetensors(await artifact.bytes(STATE_FILE), STATE_FILE);
    const { position, state, done } = JSON.parse(metadata.state!);
    const get = (name: string) => tensors.get(name)?.values;
    return {
      position,
      state: {
        ...state,
        centroids: get("centroids") as Float32Array,
        seen: get("seen") as Float64Array | undefined,
        best: state.best && {
          restart: state.best.restart,
          inertia: Number(state.best.inertia),
          centroids: get("best") as Float32Array,
        },
      },
      done: done.map((result: Omit<PositionResult, "centroids" | "labels">, p: number) => ({
        ...result,
        centroids: get(`done/${p}/centroids`) as Float32Array,
        labels: get(`done/${p}/labels`) as Int32Array,
      })),
    };
  },
});

const PCA_FILE = "pca.safetensors";

/** Principal components: one safetensors file with `mean`, `components` and `variances`. */
export const principalAxes: Codec<Pca, Pca, "principal-axes"> = defineCodec<Pca, Pca, "principal-axes">({
  name: "principal-axes",
  version: 1,
  async write({ mean, components, variances, total }, out) {
    const [count, width] = [variances.length, mean.length];
    const tensors = new Map<string, Tensor>([
      ["mean", { shape: [width], values: mean }],
      ["components", { shape: [count, width], values: components }],
      ["variances", { shape: [count], values: variances }],
      ["total", { shape: [1], values: Float64Array.of(total) }],
    ]);
    await out.bytes(PCA_FILE, encodeSafetensors(tensors));
    return { components: count, width, explained: variances.reduce((a, b) => a + b, 0) / total };
  },
  async read(artifact) {
    const { tensors } = decodeSafetensors(await artifact.bytes(PCA_FILE), PCA_FILE);
    const get = (name: string) => tensors.get(name)!.values;
    return {
      mean: get("mean") as Float32Array,
      components: get("components") as Float32Array,
      variances: get("variances") as Float64Array,
      total: get("total")[0]!,
    };
  },
});

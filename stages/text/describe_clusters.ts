import { z } from "zod";
import { textOfTokens } from "../../datasets/text/text_of_tokens.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { RetortError } from "../../foundation/errors.ts";
import { json } from "../../runner/codecs/json.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { type Centroids, centroids, clusterLabels } from "../clusters/codecs.ts";
import { tokens, vocabulary, windows } from "./codecs.ts";
import type { Codec } from "../../runner/codec.ts";

/** What clusters of suffixes have in common. */
export interface ClusterTable {
  /** For each cluster its size, mean distance, tokens that it has more often than the text, and examples. */
  clusters: {
    cluster: number;
    size: number;
    distance: number | null;
    tokens: {
      token: string;
      count: number;
      lift: number;
    }[];
    examples: {
      before: string;
      suffix: string;
    }[];
  }[];
}

/** What clusters of suffixes have in common. */
export const clusterTable: Codec<ClusterTable, ClusterTable, "cluster-table"> = json(
  "cluster-table",
  z.object({
    clusters: z.array(z.object({
      cluster: z.int(),
      /** Positions in it. */
      size: z.int(),
      /** Mean squared distance from the centroid; null for an empty cluster. */
      distance: z.number().nullable(),
      /** Tokens that stand at its positions more often than elsewhere, the most telling first. */
      tokens: z.array(z.object({ token: z.string(), count: z.int(), lift: z.number() })),
      /** The suffixes nearest to the centroid, of different first tokens, after what precedes them. */
      examples: z.array(z.object({ before: z.string(), suffix: z.string() })),
    })),
  }),
  1,
  {
    summary: ({ clusters }) => {
      const sorted = clusters.toSorted((a, b) => b.size - a.size || a.cluster - b.cluster);
      const lines = sorted.slice(0, 12).map(({ cluster, size, tokens, examples }) =>
        `${String(cluster).padStart(5)} ${String(size).padStart(8)}  ${
          tokens.slice(0, 6).map(({ token }) => token).join(" ")
        }${examples[0] === undefined ? "" : `  e.g. ${examples[0].before}[${examples[0].suffix}]`}`
      );
      if (sorted.length > lines.length) lines.push(`and ${sorted.length - lines.length} smaller ones`);
      return ["cluster     size  tokens", ...lines].join("\n");
    },
  },
);

/** Windows that are looked at together. */
const BLOCK = 512;
/** Tokens of an example before and after its position. */
const BEFORE = 6, AFTER = 10;

/** Sizes, telling tokens and nearest suffixes of clusters, as a table for people. */
export const describeClusters: Stage<
  z.ZodObject<{
    tokens: z.ZodDefault<z.ZodInt>;
    examples: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  {
    vectors: typeof matrixShards;
    labels: typeof clusterLabels;
    centroids: typeof centroids;
    tokens: typeof tokens;
    windows: typeof windows;
    vocabulary: typeof vocabulary;
  },
  { table: typeof clusterTable }
> = defineStage({
  name: "text.describe-clusters",
  params: z.object({
    /** Tokens of a cluster to be listed. */
    tokens: z.int().min(0).default(10),
    /** Suffixes of a cluster to be shown. */
    examples: z.int().min(0).default(3),
  }),
  inputs: { vectors: matrixShards, labels: clusterLabels, centroids, tokens, windows, vocabulary },
  outputs: { table: clusterTable },
  async run({ inputs, params, context }) {
    const { vectors, windows, vocabulary } = inputs;
    const { words } = vocabulary;
    const { labels, clusters } = inputs.labels;
    const { length } = windows;
    if (labels.length !== windows.count * length || vectors.rows !== labels.length) {
      throw new RetortError(
        "inputs/mismatch",
        `${vectors.rows} vectors and ${labels.length} labels for ${windows.count} windows of ${length} positions`,
      );
    }
    const counts = new Int32Array(clusters * words.length), sizes = new Int32Array(clusters);
    const sums = new Float64Array(clusters);
    const nearest = Array.from({ length: clusters }, () => new NearestSuffixes(params.examples));
    for await (const { first, count, values, observed } of windows.blocks(inputs.tokens.ids, BLOCK)) {
      const block = await vectors.read(first * length, (first + count) * length);
      for (let i = 0; i < values.length; i++) {
        if (observed !== undefined && observed[i] === 0) continue;
        const at = first * length + i, cluster = labels[at]!;
        const distance = squaredDistance(block, i * vectors.width, inputs.centroids, cluster, at);
        sums[cluster]! += distance;
        sizes[cluster]!++;
        counts[cluster * words.length + values[i]!]!++;
        nearest[cluster]!.offer({
          distance,
          token: values[i]!,
          window: first + Math.floor(i / length),
          position: i % length,
        });
      }
      context.progress(first + count, windows.count, "windows");
    }
    const total = sizes.reduce((a, b) => a + b, 0);
    const all = new Float64Array(words.length);
    counts.forEach((n, i) => all[i % words.length]! += n);
    const table = [];
    for (let cluster = 0; cluster < clusters; cluster++) {
      const own = counts.subarray(cluster * words.length, (cluster + 1) * words.length);
      const size = sizes[cluster]!;
      const examples = [];
      for (const { window, position } of nearest[cluster]!.found) {
        const { values, observed } = await windows.rows(inputs.tokens.ids, window, window + 1);
        const shown = [...values].filter((_, t) => observed?.[t] !== 0);
        examples.push(splitText(
          shown.slice(Math.max(0, position - BEFORE), position),
          shown.slice(position, position + AFTER),
          vocabulary,
        ));
      }
      table.push({
        cluster,
        size,
        distance: size > 0 ? sums[cluster]! / size : null,
        tokens: telling(own, size, all, total, params.tokens).map(({ token, count, lift }) => ({
          token: words[token]!,
          count,
          lift,
        })),
        examples,
      });
    }
    return { table: { clusters: table } };
  },
});

/** The text of tokens before a position and from it on, with what stands between them on the first; ends as they are called. */
function splitText(before: readonly number[], suffix: readonly number[], vocabulary: Vocabulary) {
  const { end, words } = vocabulary;
  const shown = (ids: readonly number[]) => {
    const parts: string[] = [];
    for (let from = 0; from < ids.length;) {
      const next = end === null ? -1 : ids.indexOf(end, from), to = next < 0 ? ids.length : next;
      if (to > from) parts.push(textOfTokens(ids.slice(from, to), vocabulary));
      if (next >= 0) parts.push(words[end!]!);
      from = to + 1;
    }
    return parts.join(" ");
  };
  const all = shown([...before, ...suffix]), first = shown(before);
  // Where the two are no whole characters, they read otherwise apart.
  if (!all.startsWith(first)) return { before: first, suffix: shown(suffix) };
  const rest = all.slice(first.length);
  const suffixText = rest.trimStart();
  return { before: first + rest.slice(0, rest.length - suffixText.length), suffix: suffixText };
}

/** Tokens with the largest share in what the cluster tells of its tokens: `count * log(lift)`. */
function telling(own: Int32Array, size: number, all: Float64Array, total: number, most: number) {
  const found: { token: number; count: number; lift: number; score: number }[] = [];
  own.forEach((count, token) => {
    if (count === 0) return;
    const lift = count / size / (all[token]! / total);
    found.push({ token, count, lift, score: count * Math.log(lift) });
  });
  return found.sort((a, b) => b.score - a.score || a.token - b.token).slice(0, most);
}

interface Suffix {
  readonly distance: number;
  readonly token: number;
  readonly window: number;
  readonly position: number;
}

/** The nearest suffixes of a cluster, one for each first token. */
class NearestSuffixes {
  readonly found: Suffix[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  offer(suffix: Suffix): void {
    if (this.found.length === this.#most && !(suffix.distance < (this.found.at(-1)?.distance ?? 0))) return;
    const same = this.found.findIndex(({ token }) => token === suffix.token);
    if (same >= 0) {
      if (!(suffix.distance < this.found[same]!.distance)) return;
      this.found.splice(same, 1);
    }
    const at = this.found.findIndex(({ distance }) => suffix.distance < distance);
    this.found.splice(at < 0 ? this.found.length : at, 0, suffix);
    if (this.found.length > this.#most) this.found.pop();
  }
}

function squaredDistance(
  block: Float32Array,
  from: number,
  { values, positions, clusters, width, metric }: Centroids,
  cluster: number,
  row: number,
): number {
  const to = (row % positions * clusters + cluster) * width;
  let distance = 0, square = 0, product = 0;
  for (let i = 0; i < width; i++) {
    const x = block[from + i]!, c = values[to + i]!;
    distance += (x - c) ** 2;
    square += x * x;
    product += x * c;
  }
  return metric === "euclidean" ? distance : square > 0 ? 2 - 2 * product / Math.sqrt(square) : 2;
}

/**
 * Stages that any experiment may need: data sets, circuits with their training and scores, clusters, charts, and the codecs of what
 * they hand on. Those of texts, images and tables stand in `retort/stages/text`, `retort/stages/images` and
 * `retort/stages/density`.
 *
 * @module
 */
export {
  type Bigrams,
  bigrams,
  type LanguageScore,
  languageScore,
  type Sentences,
  sentences,
} from "./codecs.ts";
export * from "./charts/codec.ts";
export * from "./charts/line_chart.ts";
export * from "./clusters/assign.ts";
export * from "./clusters/codecs.ts";
export * from "./clusters/exchange.ts";
export * from "./clusters/kmeans.ts";
export * from "./clusters/kmeans_shards.ts";
export * from "./clusters/pca.ts";
export * from "./clusters/shard_codecs.ts";
export * from "./clusters/within.ts";
export type { FarRows } from "../kernels/kmeans/reseed.ts";
export type { ShardedKMeans, ShardSums } from "../kernels/kmeans/shards.ts";
export type { Pca } from "../kernels/pca.ts";
export { circuit } from "./codecs/circuit.ts";
export { type NewSamples, samples, type StoredSamples } from "./codecs/samples.ts";
export * from "./codecs/score.ts";
export { trainingState } from "./codecs/training_state.ts";
export * from "./count_parameters.ts";
export * from "./data_set.ts";
export * from "./evaluate_bigram.ts";
export * from "./evaluate_circuit.ts";
export * from "./evaluate_kneser_ney.ts";
export * from "./fit_bigram.ts";
export * from "./join_shards.ts";
export { openClustering } from "./open_clustering.ts";
export { openLearner } from "./open_learner.ts";
export * from "./sample_circuit.ts";
export * from "./shard_output.ts";
export { trainEm } from "./train_em.ts";
export * from "./shard_stages.ts";
export * from "./train_shards.ts";
export {
  parameterPart,
  shardCounts,
  type StepSmoothing,
  stepSmoothing,
  type StoredCounts,
} from "./codecs/table_parts.ts";
export * from "./training_params.ts";

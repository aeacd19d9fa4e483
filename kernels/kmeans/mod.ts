/**
 * k-means over vectors of any number: Lloyd's and mini-batch iterations, greedy k-means++ starts, Euclidean or cosine distance, on the
 * processor or a graphics card.
 *
 * @module
 */
export * from "./assign.ts";
export * from "./cpu.ts";
export type { Metric } from "./data.ts";
export * from "./kernel.ts";
export * from "./kmeans.ts";
export * from "./open.ts";
export type { KMeansOptions } from "./options.ts";
export type { DotProducts, DotProductsFactory } from "./starts.ts";
export * from "./state.ts";
export * from "./vectors.ts";

export * from "./assign.ts";
export * from "./cpu.ts";
export type { Metric } from "./data.ts";
export * from "./kernel.ts";
export * from "./kmeans.ts";
export * from "./open.ts";
export type { KMeansOptions } from "./options.ts";
export * from "./state.ts";
export * from "./vectors.ts";

export * from "./assign.ts";
export * from "./cpu.ts";
export type { Metric } from "./data.ts";
export * from "./kernel.ts";
export * from "./kmeans.ts";
export * from "./open.ts";
export * from "./vectors.ts";

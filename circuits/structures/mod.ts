/** Ready-made structures, one file each. */
export * from "./blocked_hmm.ts";
export * from "./blocked_options.ts";
export * from "./chow_liu.ts";
export * from "./hclt.ts";
export * from "./hmm.ts";
export * from "./image.ts";
export { categoricalVariables, defaultLeaf, type LeafChoice, type StructureOptions } from "./leaf.ts";
export { mixture, mixtureOfUnits, naiveMixture, type NaiveMixtureOptions } from "./mixture.ts";
export * from "./rat_spn.ts";
export * from "./region_graph.ts";
export { stack, unstack } from "./stack.ts";
export { type DataStartOptions, startFromData } from "./start.ts";
export * from "./patches.ts";

/**
 * Stages of tables: rows, trees of hidden variables over them, the choice among circuits, and tables of log-likelihoods.
 *
 * @module
 */
export * from "./choose_circuit.ts";
export * from "./hidden_tree.ts";
export * from "./load_rows.ts";
export * from "./mix_circuits.ts";
export * from "./table.ts";

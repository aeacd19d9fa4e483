/**
 * Stages of tables of your own: columns of any type, read from CSV, parquet or npy; trees over them, answers, fillings, drawn rows.
 *
 * @module
 */
export * from "./ask_rows.ts";
export * from "./codecs.ts";
export * from "./draw_tree.ts";
export * from "./drawn_rows.ts";
export * from "./experiment.ts";
export * from "./fill_rows.ts";
export type { Guess } from "./guesses.ts";
export * from "./load_table.ts";
export * from "./row_tree.ts";
export * from "./score_columns.ts";
export * from "./table_file.ts";
export type { ColumnScore } from "./words.ts";

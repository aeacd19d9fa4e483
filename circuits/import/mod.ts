/** Readers for the file formats of other programs. */
export { type CompiledFactors, compileFactors } from "./compile_factors.ts";
export type { COLUMN_TYPES, ColumnType, ColumnTypes, TypedTable } from "./columns.ts";
export { type CsvOptions, parseCsv, readCsv } from "./csv.ts";
export type { Factor, FactorGraph } from "./factors.ts";
export { parseJpc } from "./jpc.ts";
export { parsePsdd } from "./psdd.ts";
export { readModelText } from "./read_text.ts";
export { parseUai, parseUaiEvidence } from "./uai.ts";

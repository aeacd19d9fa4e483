/** A row of a table. */
export interface Row {
  /** Where it stands, for messages: `line 7`. */
  readonly where: string;
  /** The columns that there are. */
  readonly columns: readonly string[];
  /** What stands in a column; undefined where there is no such column. */
  cell(column: string): unknown;
}

/**
 * Reads the rows of a table, packed by gzip or zstd or not.
 *
 * @param name how messages call the file.
 * @param column the one that is wanted, where the reader can leave out the others.
 * @throws TextError for what is no such table, saying where.
 */
export type TableReader = (path: string, name: string, column?: string) => AsyncIterable<Row>;

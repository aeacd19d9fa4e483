/** A row of a table. */
export interface Row {
  /** Its location, for messages: `line 7`. */
  readonly where: string;
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** The value in a column; undefined if there is no such column. */
  cell(column: string): unknown;
}

/**
 * Reads the rows of a table, uncompressed or compressed by gzip or zstd.
 *
 * @param name the file's name in messages.
 * @param column the only column needed, for readers that can skip the others.
 * @throws TextError for what is no such table, saying where.
 */
export type TableReader = (path: string, name: string, column?: string) => AsyncIterable<Row>;

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { databaseFault, openDatabase, rollBack } from "./schema.ts";

/** The open database of the run records: prepared statements, transactions, readable errors. */
export class RecordsDatabase implements Disposable {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();

  /**
   * @param options.copy works on a temporary copy, for read-only stores.
   * @throws RetortError when the database cannot be opened.
   */
  constructor(path: string, options: { readOnly?: boolean; copy?: boolean } = {}) {
    this.#path = path;
    this.#database = openDatabase(path, options);
  }

  /** Closes the database; idempotent. */
  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(sql: string) {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  /** Executes a statement that returns nothing. */
  run(sql: string, ...values: SQLInputValue[]): void {
    try {
      this.#prepare(sql).run(...values);
    } catch (error) {
      throw databaseFault(error, this.#path);
    }
  }

  /** Executes a query and returns all its rows. */
  all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    try {
      return this.#prepare(sql).all(...values) as T[];
    } catch (error) {
      throw databaseFault(error, this.#path);
    }
  }

  /** Performs all of `action`'s writes or none. */
  transaction<T>(action: () => T): T {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      throw databaseFault(error, this.#path);
    }
    try {
      const value = action();
      this.#database.exec("COMMIT");
      return value;
    } catch (error) {
      rollBack(this.#database);
      throw databaseFault(error, this.#path);
    }
  }
}

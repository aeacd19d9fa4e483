import { gpuTable } from "../leaves/mod.ts";
import type { LeafTable, Plan, WeightTable } from "../plan.ts";
import { padded } from "./layout.ts";
import { type PagePart, Pages } from "./pages.ts";

/** Rows of a leaf table on the device. */
export function tableRows(table: LeafTable): number {
  return gpuTable(table.family).tableRows(table.states);
}

/** Rows of leaf statistics on the device. */
export function statisticsRows(table: LeafTable): number {
  return gpuTable(table.family).statisticsRows(table.states);
}

/** Locations of parameters and their counts. Weight counts have the layout of the weights. */
export class ParameterPlaces {
  /** Pages of weights, and of their counts. */
  readonly weightPages: Pages;
  /** Pages of the leaf tables. */
  readonly tablePages: Pages;
  /** Pages of the leaf statistics. */
  readonly statisticsPages: Pages;
  /** `[table][slot]`: parts of a matrix `[units, padded(inputs)]`. */
  readonly weights: readonly (readonly (readonly PagePart[])[])[];
  /** `[table][slot]`: parts of a table `[rows, padded(units)]`. */
  readonly tables: readonly (readonly (readonly PagePart[])[])[];
  /** `[table][slot]`: parts of statistics `[rows, padded(units)]`. */
  readonly statistics: readonly (readonly (readonly PagePart[])[])[];

  /** Allocates all parameters of a plan in pages of `limit` bytes. */
  constructor(plan: Plan, limit: number) {
    this.weightPages = new Pages(limit);
    this.tablePages = new Pages(limit);
    this.statisticsPages = new Pages(limit);
    const slots = <T extends { slots: number }>(tables: readonly T[], add: (table: T) => PagePart[]) =>
      tables.map((table) => Array.from({ length: table.slots }, () => add(table)));
    this.weights = slots(
      plan.weightTables,
      (t: WeightTable) => this.weightPages.add(t.units, padded(t.inputs)),
    );
    this.tables = slots(plan.leafTables, (t) => this.tablePages.add(tableRows(t), padded(t.units)));
    this.statistics = slots(
      plan.leafTables,
      (t) => this.statisticsPages.add(statisticsRows(t), padded(t.units)),
    );
  }
}

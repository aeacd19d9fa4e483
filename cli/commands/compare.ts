import { type ComparedRow, compareRuns } from "../../runner/compare.ts";
import { resolveRun } from "../../runner/references.ts";
import { valueText } from "../../foundation/text.ts";
import { print, printJson, table } from "../output.ts";
import { openRecords } from "../records.ts";
import { JSON_OUTPUT, STORE, VERBOSE } from "../options.ts";
import { defineCommand, STORE_PERMISSIONS } from "../command.ts";

export default defineCommand({
  name: "compare",
  summary: "parameters and metrics of runs side by side",
  permissions: STORE_PERMISSIONS,
  declare: (command) =>
    command.argument("<runs...>", "runs: ids, first characters, or latest").option(
      "--all",
      "also what is the same in all runs",
    ).addOption(STORE).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(compare),
});

function compare(names: string[], options: { all?: true; store?: string; json?: true }): void {
  const { records } = openRecords(options.store);
  using _closed = records;
  const found = names.map((name) => resolveRun(records, name));
  const comparison = compareRuns(records, found);
  if (options.json) return printJson(comparison);
  print(table(["RUN", "PIPELINE", "COMMAND"], found.map((run) => [run.id, run.pipeline, run.command])));
  const interesting = (row: ComparedRow) => options.all === true || !row.same || found.length === 1;
  section("PARAMETER", comparison.params.filter(interesting), found.map((run) => run.id));
  section("METRIC", comparison.metrics, found.map((run) => run.id));
}

/** Rows grouped by stage, so that the nodes of a sweep stand together. */
function section(title: string, rows: readonly ComparedRow[], runs: readonly string[]): void {
  if (rows.length === 0) return print(`\nno ${title.toLowerCase()} differs`);
  const stages = [...new Set(rows.map((row) => row.stage))];
  const ordered = stages.flatMap((stage) => rows.filter((row) => row.stage === stage));
  print("");
  print(table(
    ["NODE", title, ...runs, ""],
    ordered.map((row) => [
      row.node,
      row.name,
      ...row.values.map(valueText),
      row.same ? "" : differenceText(row),
    ]),
  ));
}

function differenceText(row: ComparedRow): string {
  const [a, b] = row.values;
  if (row.values.length !== 2 || typeof a !== "number" || typeof b !== "number") return "≠";
  const difference = b - a;
  const relative = a === 0
    ? ""
    : ` (${difference > 0 ? "+" : ""}${(100 * difference / Math.abs(a)).toPrecision(3)} %)`;
  return `${difference > 0 ? "+" : ""}${valueText(difference)}${relative}`;
}

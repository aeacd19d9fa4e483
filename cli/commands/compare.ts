import { changeOf, isUnchangedReference } from "../../runner/change_text.ts";
import { compareAnswers, type ComparedRow, compareRuns } from "../../runner/compare.ts";
import { recordedAnswer } from "../../runner/recorded_answer.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import { readableText } from "../../foundation/readable.ts";
import { clean, paint, print, printJson, table } from "../output.ts";
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

async function compare(names: string[], options: { all?: true; store?: string; json?: true }): Promise<void> {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  const found = names.map((name) => resolveRun(records, name));
  const comparison = compareRuns(records, found);
  const answers = compareAnswers(
    await Promise.all(found.map((run) => recordedAnswer(store, records, run.id))),
  );
  if (options.json) return printJson({ ...comparison, answers: answers ?? null });
  print(table(["RUN", "PIPELINE", "COMMAND"], found.map((run) => [run.id, run.pipeline, run.command])));
  if (answers !== undefined) {
    print(`\n${paint("bold", clean(answers.metric))}`);
    if (answers.verdicts !== null) print(clean(answers.verdicts.text));
    print(table(
      ["ARM", ...heads(found)],
      answers.arms.filter((arm) => options.all === true || !isUnchangedReference(arm)).map((
        { label, values, texts },
      ) => [
        label,
        ...values.map((value, i) =>
          value === null ? "–" : `${value}${texts[i] === "" ? "" : `  ${texts[i]}`}`
        ),
      ]),
    ));
  }
  const interesting = (row: ComparedRow) => options.all === true || !row.same || found.length === 1;
  section("PARAMETER", comparison.params.filter(interesting), found);
  section("METRIC", comparison.metrics.filter(interesting), found);
}

/** Characters of a value that are shown. */
const WIDEST = 60;

/** Ids of runs; the first is what the others are held against. */
function heads(runs: readonly RunRecord[]): string[] {
  return runs.map(({ id }, i) => i === 0 && runs.length > 1 ? `${id} (baseline)` : id);
}

/** Rows grouped by stage, so that the nodes of a sweep stand together. */
function section(title: string, rows: readonly ComparedRow[], runs: readonly RunRecord[]): void {
  if (rows.length === 0) return print(`\nno ${title.toLowerCase()} differs`);
  const stages = [...new Set(rows.map((row) => row.stage))];
  const ordered = stages.flatMap((stage) => rows.filter((row) => row.stage === stage));
  print("");
  print(table(
    ["NODE", title, ...heads(runs)],
    ordered.map((row) => [
      row.node === "params" ? "the pipeline" : row.node,
      row.name,
      ...row.values.map((value, i) => {
        const change = title === "METRIC" ? changeOf(row, i).text : "";
        return `${cut(readableText(value))}${change === "" ? "" : `  ${change}`}`;
      }),
    ]),
  ));
}

/** Long values make columns that no terminal is wide enough for; `--json` has them whole. */
function cut(text: string): string {
  return text.length <= WIDEST ? text : `${text.slice(0, WIDEST - 1)}…`;
}

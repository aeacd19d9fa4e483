import { valueText } from "../../foundation/text.ts";
import { reasonText } from "../../runner/key.ts";
import { groupsOf, type StageGroup } from "../../runner/compare.ts";
import type { Records } from "../../runner/records/records.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import { liveNodeState, type LiveStatus, liveStatus } from "../../runner/liveness.ts";
import type { Store } from "../../runner/store/store.ts";
import { durationText, print, printJson, table, timeText } from "../output.ts";
import { openRecords } from "../records.ts";
import { JSON_OUTPUT, STORE, VERBOSE, wholeNumberFrom } from "../options.ts";
import { defineCommand, STORE_PERMISSIONS } from "../command.ts";

/** `deno task runs`. */
export default defineCommand({
  name: "runs",
  summary: "list past runs, newest first, or show one",
  permissions: STORE_PERMISSIONS,
  declare: (command) =>
    command.argument("[run]", "a run's id, its first characters, or latest")
      .option("--limit <n>", "at most so many", wholeNumberFrom(1), 20)
      .option("--pipeline <name>", "of this pipeline only").addOption(STORE).addOption(JSON_OUTPUT).addOption(
        VERBOSE,
      )
      .action(runs),
});

/** Options of `runs`. */
interface RunsOptions {
  limit: number;
  pipeline?: string;
  store?: string;
  json?: true;
}

function runs(run: string | undefined, options: RunsOptions): void {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  if (run !== undefined) return showRun(store, records, resolveRun(records, run), options);
  const list = records.runs({
    limit: options.limit,
    ...(options.pipeline ? { pipeline: options.pipeline } : {}),
  });
  const rows = list.map((record) => ({
    record,
    status: liveStatus(store, record),
    groups: groupsOf(records, record),
  }));
  if (options.json) {
    return printJson(rows.map(({ record, status, groups }) => ({
      ...record,
      status,
      nodes: counts(groups, status),
      sweeps: groups.filter((group) => group.nodes.length > 1).map((group) => ({
        stage: group.stage,
        nodes: group.nodes.length,
        varying: group.varying,
      })),
    })));
  }
  if (rows.length === 0) return print("no runs yet");
  print(table(
    ["RUN", "PIPELINE", "STATUS", "STARTED", "TOOK", "NODES", "SWEEPS"],
    rows.map(({ record, status, groups }) => [
      record.id,
      record.pipeline,
      status,
      timeText(record.started),
      record.ended === null ? "–" : durationText(record.ended - record.started),
      Object.entries(counts(groups, status)).map(([state, n]) => `${n} ${state}`).join(", "),
      groups.filter((group) => group.nodes.length > 1)
        .map((group) =>
          `${group.stage} ×${group.nodes.length}${
            group.varying.length > 0 ? ` (${group.varying.join(", ")})` : ""
          }`
        )
        .join("; "),
    ]),
  ));
}

function counts(groups: readonly StageGroup[], status: LiveStatus): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { node } of groups.flatMap((group) => group.nodes)) {
    const state = liveNodeState(node.state, status);
    found[state] = (found[state] ?? 0) + 1;
  }
  return found;
}

function showRun(store: Store, records: Records, record: RunRecord, options: RunsOptions): void {
  const groups = groupsOf(records, record);
  const status = liveStatus(store, record);
  if (options.json) {
    const nodes = groups.flatMap((group) =>
      group.nodes.map(({ node, values }) => ({
        node: { ...node, state: liveNodeState(node.state, status) },
        values,
      }))
    );
    return printJson({ ...record, status, nodes, outputs: records.runOutputs(record.id) });
  }
  const { environment } = record;
  const git = environment.git === null
    ? "no repository"
    : `${environment.git.commit.slice(0, 12)}${environment.git.dirty ? " with changes" : ""}`;
  print(table([], [
    ["run", record.id],
    ["pipeline", `${record.pipeline} (${record.file})`],
    ["command", record.command],
    ["status", status],
    ["started", timeText(record.started)],
    ["took", record.ended === null ? "–" : durationText(record.ended - record.started)],
    ["parameters", JSON.stringify(record.params)],
    ["seed", String(record.seed)],
    ["engine", environment.engine],
    [
      "runtime",
      `Deno ${environment.deno}, Retort ${environment.retort}, ${environment.os}, ${environment.cores} cores`,
    ],
    ["host", environment.host],
    ["git", git],
  ]));
  for (const group of groups) {
    print("");
    const values = [...new Set(group.nodes.flatMap((node) => Object.keys(node.values)))];
    print(table(
      ["NODE", "STATE", "TOOK", ...values, "WHY"],
      group.nodes.map(({ node, values: found }) => [
        node.name,
        liveNodeState(node.state, status),
        node.seconds === null ? "–" : durationText(node.seconds),
        ...values.map((name) => valueText(found[name])),
        node.error ?? node.reasons.map(reasonText).join("; "),
      ]),
    ));
  }
}

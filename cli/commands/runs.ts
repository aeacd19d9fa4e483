import { Option } from "commander";
import { CallError } from "../../foundation/errors.ts";
import { cancelRun } from "../../runner/cancel.ts";
import { valueText } from "../../foundation/text.ts";
import { reasonText } from "../../runner/key.ts";
import { groupsOf, sweepsOf, sweepsText } from "../../runner/compare.ts";
import { Records } from "../../runner/records/records.ts";
import {
  type Annotation,
  LISTED_STATUSES,
  type ListedStatus,
  NO_ANNOTATION,
  type NodeRecord,
  type RunRecord,
} from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import { recordedAnswer } from "../../runner/recorded_answer.ts";
import { liveNodeState, type LiveStatus, liveStatus, runsOfStatus } from "../../runner/liveness.ts";
import type { Store } from "../../runner/store/store.ts";
import { terminalAnswer } from "../answer.ts";
import { bytesText, durationText, print, printJson, table, timeText } from "../output.ts";
import { openRecords } from "../records.ts";
import { JSON_OUTPUT, repeated, STORE, VERBOSE, wholeNumberFrom } from "../options.ts";
import { defineCommand, STORE_PERMISSIONS } from "../command.ts";

export default defineCommand({
  name: "runs",
  summary: "list past runs, newest first, or show one",
  permissions: STORE_PERMISSIONS,
  declare: (command) =>
    command.argument("[run]", "a run's id, its first characters, or latest")
      .option("--limit <n>", "at most so many", wholeNumberFrom(1), 20)
      .option("--pipeline <name>", "of this pipeline only")
      .addOption(new Option("--status <status>", "that are so").choices(LISTED_STATUSES))
      .option("--tagged <tag>", "that have this tag")
      .option("--archived", "archived ones as well")
      .option("--note <text>", "say something of the run; an empty text takes it back")
      .addOption(
        new Option("--tag <tag>", "give the run a tag; may be repeated").argParser(repeated).default(
          [] as string[],
          "none",
        ),
      )
      .addOption(
        new Option("--untag <tag>", "take a tag from it; may be repeated").argParser(repeated).default(
          [] as string[],
          "none",
        ),
      )
      .option("--archive", "leave the run out of lists")
      .option("--unarchive", "take it back into them")
      .option("--cancel", "stop the run as Ctrl-C does: what is done is kept")
      .addOption(STORE).addOption(JSON_OUTPUT).addOption(
        VERBOSE,
      )
      .action(runs),
});

interface RunsOptions {
  limit: number;
  pipeline?: string;
  status?: ListedStatus;
  tagged?: string;
  archived?: true;
  note?: string;
  tag: string[];
  untag: string[];
  archive?: true;
  unarchive?: true;
  cancel?: true;
  store?: string;
  json?: true;
}

async function runs(run: string | undefined, options: RunsOptions): Promise<void> {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  if (run !== undefined) {
    const record = resolveRun(records, run);
    if (options.cancel) cancelRun(store, record);
    annotate(store, record, options);
    return await showRun(store, records, record, options);
  }
  const alone = ["note", "tag", "untag", "archive", "unarchive", "cancel"] as const;
  const given = (value: unknown) => value !== undefined && !(Array.isArray(value) && value.length === 0);
  const wrong = alone.find((name) => given(options[name]));
  if (wrong !== undefined) {
    throw new CallError("command/options", `--${wrong} is about one run`, {
      hint: `Name it: deno task runs RUN --${wrong} …`,
    });
  }
  const list = chosenRuns(store, records, options);
  const annotations = records.annotations();
  const rows = list.map((record) => {
    const nodes = records.nodes(record.id), status = liveStatus(store, record);
    return { record, status, counts: countsByStage(nodes, status), sweeps: sweepsOf(nodes) };
  });
  if (options.json) {
    return printJson(rows.map(({ record, status, counts, sweeps }) => ({
      ...record,
      status,
      ...annotations.get(record.id) ?? NO_ANNOTATION,
      nodes: counts,
      sweeps,
    })));
  }
  if (rows.length === 0) return print(records.countRuns() === 0 ? "no runs yet" : "no runs match");
  const said = rows.some(({ record }) => annotations.has(record.id));
  print(table(
    ["RUN", "PIPELINE", "STATUS", "STARTED", "TOOK", "NODES", "SWEEPS", ...said ? ["NOTES"] : []],
    rows.map(({ record, status, counts, sweeps }) => [
      record.id,
      record.pipeline,
      status,
      timeText(record.started),
      record.ended === null ? "–" : durationText(record.ended - record.started),
      Object.entries(counts).map(([state, n]) => `${n} ${state}`).join(", "),
      sweepsText(sweeps),
      ...said ? [annotationText(annotations.get(record.id) ?? NO_ANNOTATION)] : [],
    ]),
  ));
}

function annotationText({ note, tags, archived }: Annotation): string {
  return [...tags.map((tag) => `#${tag}`), ...archived ? ["(archived)"] : [], note].join(" ").trim();
}

function chosenRuns(store: Store, records: Records, options: RunsOptions): RunRecord[] {
  const { pipeline, status, tagged, limit } = options;
  const filter = {
    ...(pipeline ? { pipeline } : {}),
    ...(tagged ? { tag: tagged } : {}),
    ...(options.archived ? {} : { archived: false }),
  };
  if (status === undefined) return records.runs({ ...filter, limit });
  return runsOfStatus(store, status, (recorded) =>
    // Of those that are recorded as running, some may be left out.
    records.runs({ ...filter, status: recorded, ...(recorded === "running" ? {} : { limit }) })).slice(
      0,
      limit,
    );
}

/** Writes what the options say of a run, if they say something. */
function annotate(store: Store, { id }: RunRecord, options: RunsOptions): void {
  const { note, tag, untag, archive, unarchive } = options;
  if (archive && unarchive) {
    throw new CallError("command/options", "--archive and --unarchive exclude each other");
  }
  const odd = tag.find((one) => !/^[^\s,]{1,100}$/.test(one));
  if (odd !== undefined) {
    throw new CallError(
      "command/options",
      `--tag is ${JSON.stringify(odd)}; a tag has no spaces and no commas`,
    );
  }
  if (note === undefined && tag.length + untag.length === 0 && !archive && !unarchive) return;
  using writing = new Records(store);
  writing.transaction(() => {
    const before = writing.annotation(id);
    writing.annotate(id, {
      tags: [...before.tags, ...tag].filter((one) => !untag.includes(one)),
      ...(note === undefined ? {} : { note }),
      ...(archive || unarchive ? { archived: archive === true } : {}),
    });
  });
}

/** Nodes by state, in the order in which a walk from stage to stage meets the states. */
function countsByStage(nodes: readonly NodeRecord[], status: LiveStatus): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { state: recorded } of [...Map.groupBy(nodes, ({ stage }) => stage).values()].flat()) {
    const state = liveNodeState(recorded, status);
    found[state] = (found[state] ?? 0) + 1;
  }
  return found;
}

async function showRun(
  store: Store,
  records: Records,
  record: RunRecord,
  options: RunsOptions,
): Promise<void> {
  const groups = groupsOf(records, record);
  const attempts = records.attempts(record.id), places = records.places(record.id);
  const status = liveStatus(store, record);
  const annotation = records.annotation(record.id);
  const answer = await recordedAnswer(store, records, record.id);
  if (options.json) {
    const nodes = groups.flatMap((group) =>
      group.nodes.map(({ node, values }) => ({
        node: { ...node, state: liveNodeState(node.state, status) },
        values,
      }))
    );
    return printJson({
      ...record,
      status,
      ...annotation,
      answer: answer ?? null,
      nodes,
      attempts,
      places,
      outputs: records.runOutputs(record.id),
    });
  }
  if (answer !== undefined) print(`${terminalAnswer(answer)}\n`);
  const { environment } = record;
  const git = environment.git === null
    ? "no repository"
    : `${environment.git.commit.slice(0, 12)}${environment.git.dirty ? " with changes" : ""}`;
  print(table([], [
    ["run", record.id],
    ["pipeline", `${record.pipeline} (${record.file})`],
    ["command", record.command],
    ["status", status],
    ...annotationText(annotation) === "" ? [] : [["notes", annotationText(annotation)]],
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
  if (places.length > 0) {
    const seconds = new Map(
      groups.flatMap(({ nodes }) => nodes.map(({ node }) => [node.name, node.seconds])),
    );
    print("");
    print(table(
      ["NODE", "RAN ON", "WAITED", "MEMORY", "OF", "TOOK", "OF"],
      places.map(({ node, host, waited, used, memory, time }) => [
        node,
        host ?? record.environment.host,
        waited === null ? "–" : durationText(waited),
        used === null ? "–" : bytesText(used),
        memory === null ? "–" : bytesText(memory),
        ...[seconds.get(node) ?? null, time].map((one) => one === null ? "–" : durationText(one)),
      ]),
    ));
  }
  if (attempts.length === 0) return;
  print("");
  print(table(
    ["NODE", "ATTEMPT", "TOOK", "ENDED", "LOG"],
    attempts.map(({ node, attempt, seconds, cause, error, log }) => [
      ...[node, String(attempt), durationText(seconds), cause === null ? "done" : `${cause}: ${error}`, log],
    ]),
  ));
}

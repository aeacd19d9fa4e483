import type { Records } from "../../runner/records/records.ts";
import { droppedLine, droppedNote } from "../../runner/dropped.ts";
import { recordedAnswer } from "../../runner/recorded_answer.ts";
import { type Lineage, lineageOf, resolveArtifact, resolveRun } from "../../runner/references.ts";
import { artifactJson, artifactSize } from "../../runner/store/artifacts.ts";
import type { Store } from "../../runner/store/store.ts";
import { terminalAnswer } from "../answer.ts";
import { bytesText, clean, factsText, paint, print, printJson, table, timeText } from "../output.ts";
import { summaryOf } from "../../runner/summary.ts";
import { indented } from "../../foundation/text.ts";
import { openRecords } from "../records.ts";
import { JSON_OUTPUT, STORE, VERBOSE } from "../options.ts";
import { defineCommand, STORE_PERMISSIONS } from "../command.ts";

export default defineCommand({
  name: "show",
  summary: "show an artifact: type, size, shape, digest, and what made it",
  permissions: STORE_PERMISSIONS,
  declare: (command) =>
    command.argument("<ref>", "RUN/OUTPUT, RUN/NODE:OUTPUT, NODE:OUTPUT or the first digits of a digest")
      .addOption(STORE).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(show),
});

async function show(reference: string, options: { store?: string; json?: true }): Promise<void> {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  if (isRun(records, reference)) return await showRun(store, records, reference, options);
  const record = resolveArtifact(records, reference);
  const { artifact } = record;
  const lineage = lineageOf(records, record);
  const swept = artifact.files.some((file) =>
    file.location === undefined && !store.blobs.has(file.digest, file.size)
  );
  const dropped = droppedNote(store, records, record);
  const summary = records.summary(artifact.digest) ??
    (swept ? undefined : await summaryOf(store.blobs, artifact));
  if (options.json) {
    return printJson({
      ...artifactJson(artifact, { locations: true }),
      summary: summary ?? null,
      bytes: artifactSize(artifact),
      inStore: !swept,
      dropped: dropped ?? null,
      output: record.output,
      node: record.node,
      stage: record.stage,
      pipeline: record.pipeline,
      run: record.run,
      key: record.key,
      params: record.components.params,
      code: record.components.code,
      seed: record.components.seed ?? null,
      made: new Date(record.created * 1000).toISOString(),
      accepted: store.acceptance(record.key) ?? null,
      lineage: lineageJson(store, lineage),
    });
  }
  print(table([], [
    ["type", `${artifact.codec} (version ${artifact.version})`],
    ["digest", artifact.digest],
    ["size", `${bytesText(artifactSize(artifact))} in ${artifact.files.length} files`],
    ["facts", factsText(artifact.facts) || "–"],
    ["made by", `${record.node}:${record.output}, stage ${record.stage} of ${record.pipeline}`],
    ["in run", record.run === "" ? "– (data outside the store)" : record.run],
    ["made", timeText(record.created)],
    ["parameters", JSON.stringify(record.components.params)],
    [
      "packages",
      Object.entries(record.components.code.packages).map(([n, v]) => `${n} ${v}`).join(", ") || "–",
    ],
    ["key", record.key],
    ...acceptedText(store, record.key).map((text) => ["accepted", text]),
    ...(dropped !== undefined
      ? [["note", droppedLine(dropped)]]
      : swept
      ? [["note", "its files are no longer in the store"]]
      : []),
  ]));
  print("");
  print(table(
    ["FILE", "SIZE", "SHA256", "PLACE"],
    artifact.files.map((file) => [file.name, bytesText(file.size), file.digest, file.location ?? ""]),
  ));
  if (summary !== undefined) print(`\nholds\n${clean(indented(summary))}`);
  print("\nmade from");
  if (lineage.inputs.length === 0) print("  nothing: it has no inputs");
  printLineage(store, lineage, "  ");
}

/** Who called a change of code harmless for which a result stands, why and when. */
function acceptedText(store: Store, key: string): string[] {
  const accepted = store.acceptance(key);
  if (accepted === undefined) return [];
  const { by, when, why, changes } = accepted;
  return [`by ${by} on ${when.slice(0, 10)}: ${why} (${changes.join("; ")})`];
}

/** Whether a reference names a whole run: `latest`, or what run ids begin with and no digest does. */
function isRun(records: Records, reference: string): boolean {
  return reference === "latest" || /^\d{8}t/.test(reference) && records.findRuns(reference).length === 1;
}

/** A run by what it answers and what it returned. */
async function showRun(
  store: Store,
  records: Records,
  reference: string,
  options: { json?: true },
): Promise<void> {
  const run = resolveRun(records, reference);
  const answer = await recordedAnswer(store, records, run.id);
  const nodes = new Map(records.nodes(run.id).map((node) => [node.name, node]));
  const outputs = records.runOutputs(run.id).map(({ name, node, output }) => {
    const key = nodes.get(node)?.key ?? null;
    const artifact = key === null
      ? undefined
      : records.artifactsOfKey(key).find((one) => one.output === output)?.artifact;
    return { name, node, artifact, summary: artifact && records.summary(artifact.digest) };
  });
  if (options.json) {
    return printJson({
      run: run.id,
      pipeline: run.pipeline,
      answer: answer ?? null,
      outputs: outputs.map(({ name, node, artifact, summary }) => ({
        name,
        node,
        digest: artifact?.digest ?? null,
        summary: summary ?? null,
      })),
    });
  }
  print(table([], [["run", run.id], ["pipeline", run.pipeline], ["command", run.command]]));
  if (answer !== undefined) print(`\n${terminalAnswer(answer)}`);
  print("");
  print(table(
    ["OUTPUT", "TYPE", "SIZE", "VALUE", "DIGEST"],
    outputs.map(({ name, artifact, summary }) =>
      artifact === undefined ? [name, "–", "–", "not made", "–"] : [
        name,
        artifact.codec,
        bytesText(artifactSize(artifact)),
        summary === undefined ? factsText(artifact.facts) : "below",
        artifact.digest.slice(0, 12),
      ]
    ),
  ));
  for (const { name, summary } of outputs) {
    if (summary !== undefined) print(`\n${paint("bold", clean(name))}\n${clean(indented(summary))}`);
  }
}

function printLineage(store: Store, lineage: Lineage, indent: string): void {
  for (const { name, digest, made } of lineage.inputs) {
    const maker = made === undefined
      ? "unknown"
      : `${made.record.node}:${made.record.output} (${made.record.stage} ${
        JSON.stringify(made.record.components.params)
      })`;
    print(clean(`${indent}${name}  ${digest.slice(0, 12)}  ${maker}`));
    for (const text of made === undefined ? [] : acceptedText(store, made.record.key)) {
      print(clean(`${indent}  accepted ${text}`));
    }
    if (made?.further) print(`${indent}  … (deno task show ${digest.slice(0, 12)})`);
    else if (made !== undefined) printLineage(store, made, `${indent}  `);
  }
}

function lineageJson(store: Store, lineage: Lineage): unknown {
  return lineage.inputs.map(({ name, digest, made }) => ({
    input: name,
    digest,
    ...(made === undefined ? {} : {
      node: made.record.node,
      output: made.record.output,
      stage: made.record.stage,
      params: made.record.components.params,
      accepted: store.acceptance(made.record.key) ?? null,
      from: lineageJson(store, made),
      ...(made.further ? { further: true } : {}),
    }),
  }));
}

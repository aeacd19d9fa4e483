import { canonicalText } from "../foundation/canonical.ts";
import { durationText } from "../foundation/format.ts";
import { shellWord } from "../foundation/text.ts";
import type { RecordReader } from "./records/reader.ts";
import type { ArtifactRecord, RunRecord } from "./records/rows.ts";
import type { Store } from "./store/store.ts";

/** A temporary output that was dropped: when, and how to get it back. */
export interface DroppedNote {
  /** ISO 8601. */
  readonly when: string;
  /** The command that makes it again and keeps it; null where no run is known. */
  readonly command: string | null;
  /** Seconds that it took, where a run is known. */
  readonly seconds: number | null;
}

/** What there is to say of an artifact whose bytes were dropped; undefined where they were not. */
export function droppedNote(
  store: Store,
  records: RecordReader,
  record: ArtifactRecord,
): DroppedNote | undefined {
  const when = store.droppedOutputs(record.key)?.[record.output];
  const { files } = record.artifact;
  if (when === undefined || files.every((file) => store.blobs.has(file.digest, file.size))) return undefined;
  const run = records.findRuns(record.run).find(({ id }) => id === record.run);
  return {
    when,
    command: run === undefined ? null : commandFor(run, record.node),
    seconds: records.secondsOfKey(record.key) ?? null,
  };
}

/** Makes a node as it was made in a run. */
function commandFor({ file, params, seed }: RunRecord, node: string): string {
  const set = Object.entries(params).flatMap((
    [name, value],
  ) => ["--set", `${name}=${typeof value === "string" ? value : canonicalText(value)}`]);
  const words = ["run", file, ...set, ...seed === 0 ? [] : ["--seed", String(seed)], "--only", node];
  return `deno task ${words.map(shellWord).join(" ")}`;
}

/** The same as a line. */
export function droppedLine({ when, command, seconds }: DroppedNote): string {
  return `it is temporary and was dropped on ${when.slice(0, 10)}, once all that read it was made` +
    (command === null ? "" : `; made again and kept by: ${command}`) +
    (seconds === null ? "" : ` (about ${durationText(seconds)})`);
}

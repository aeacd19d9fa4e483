import { notJson, plainJson } from "../foundation/canonical.ts";
import { messageOf } from "../foundation/errors.ts";
import { inlineText, jsonText } from "../foundation/text.ts";
import type { AnyCodec, Artifact } from "./codec.ts";
import { outputArtifact, type RunSummary } from "./run_summary.ts";
import type { PipelineSession } from "./session.ts";
import { artifactReader } from "./store/artifacts.ts";
import type { Blobs } from "./store/blobs.ts";

/** Files of more bytes than this are not read for a summary. */
const LARGEST = 1 << 15;
/** A summary's lines and their characters; the rest is left out. */
const LINES = 40;
const WIDTH = 200;

/**
 * What an artifact holds, as a few lines of text: what its codec's `summary` says, else, for small JSON and
 * text, the value itself. Undefined when its facts say it all, or when there is too much to say.
 *
 * @throws DamagedError when bytes are not what they should be; whatever the codec throws.
 */
export async function summaryOf(
  blobs: Blobs,
  artifact: Artifact,
  codec?: AnyCodec,
): Promise<string | undefined> {
  const reader = artifactReader(blobs, artifact);
  if (codec?.summary !== undefined) return clipped(await codec.summary(await codec.read(reader)));
  const [file, ...others] = artifact.files;
  if (file === undefined || others.length > 0 || file.size > LARGEST) return undefined;
  if (file.name === "text.txt") return clipped(await reader.text(file.name));
  if (file.name !== "value.json") return undefined;
  // On disk the keys are sorted; read by its codec, a value has them in the order of its schema.
  const read: unknown = await codec?.read(reader);
  const value = codec === undefined || notJson(read) !== undefined
    ? await reader.json(file.name)
    : plainJson(read);
  return inlineText(value) === undefined ? clipped(jsonText(value)) : undefined;
}

/** Summaries of what a run returned, by output; kept in the records for `show`. */
export async function outputSummaries(
  session: PipelineSession,
  run: RunSummary,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [name, source] of session.outputs) {
    const artifact = outputArtifact(run, source);
    if (artifact === undefined) continue;
    const codec = source.node.stage.outputs[source.output]!;
    try {
      const text = await summaryOf(session.store.blobs, artifact, codec);
      if (text === undefined) continue;
      found.set(name, text);
      if (session.records.summary(artifact.digest) !== text) {
        session.records.putSummary(artifact.digest, text);
      }
    } catch (error) {
      // The run itself is done and recorded: a fault here costs no more than these lines.
      if (!found.has(name)) found.set(name, `its summary could not be made: ${messageOf(error)}`);
    }
  }
  return found;
}

function clipped(text: string): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(0, lines.length > LINES ? LINES - 1 : LINES)
    .map((line) => line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line);
  if (shown.length < lines.length) shown.push(`… ${lines.length - shown.length} more lines`);
  return shown.join("\n");
}

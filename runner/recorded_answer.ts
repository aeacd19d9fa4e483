import type { JsonValue } from "../foundation/canonical.ts";
import { answerOf, type RunAnswer } from "./answer.ts";
import type { Artifact } from "./codec.ts";
import type { PipelineQuestion } from "./headline.ts";
import type { Records } from "./records/records.ts";
import { outputArtifact, type RunSummary } from "./run_summary.ts";
import type { PipelineSession } from "./session.ts";
import { artifactReader } from "./store/artifacts.ts";
import type { Store } from "./store/store.ts";

/** Larger values are no tables that people read. */
const LARGEST = 16 << 20;

/** What a run says to the question of its pipeline, as far as its outputs are there. */
export async function recordedAnswer(
  store: Store,
  records: Records,
  run: string,
): Promise<RunAnswer | undefined> {
  const asked = records.question(run);
  if (asked === undefined) return undefined;
  const nodes = new Map(records.nodes(run).map((node) => [node.name, node]));
  const returned = new Map(records.runOutputs(run).map((output) => [output.name, output]));
  return await answered(asked, store, (name) => {
    const output = returned.get(name);
    const node = output && nodes.get(output.node);
    if (node === undefined || node.key === null || (node.state !== "ran" && node.state !== "cached")) {
      return undefined;
    }
    return records.artifactsOfKey(node.key).find((one) => one.output === output!.output)?.artifact;
  });
}

/** The same of a run that has just ended: on a read-only store no records know of it. */
export async function endedAnswer(
  session: PipelineSession,
  summary: RunSummary,
): Promise<RunAnswer | undefined> {
  const { asked } = session.pipeline;
  if (asked === undefined) return undefined;
  return await answered(asked, session.store, (name) => {
    const source = session.outputs.get(name);
    return source && outputArtifact(summary, source);
  });
}

async function answered(
  asked: PipelineQuestion,
  store: Store,
  artifactOf: (output: string) => Artifact | undefined,
): Promise<RunAnswer | undefined> {
  return await answerOf(asked, async (output): Promise<JsonValue | undefined> => {
    const artifact = artifactOf(output);
    if (artifact === undefined) return undefined;
    if (artifact.facts.value !== undefined) return artifact.facts.value;
    const file = artifact.files.find((one) => one.name === "value.json");
    if (file === undefined || file.size > LARGEST) return undefined;
    try {
      return await artifactReader(store.blobs, artifact).json(file.name) as JsonValue;
    } catch {
      return undefined; // Damaged or swept away: the output's own preview says so.
    }
  });
}

import type { RunAnswer } from "../../runner/answer.ts";
import { recordedAnswer } from "../../runner/recorded_answer.ts";
import type { Records } from "../../runner/records/records.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { type KnownMakers, type Lineage, lineageOf } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { readLogEnd } from "../view/log.ts";
import { type FilePreview, pictureType, previewArtifact } from "../view/preview.ts";
import { reproduction } from "../view/reproduce.ts";
import { acrossSeeds } from "../view/results.ts";
import { type ArtifactView, type NodeView, type RunView, viewRun } from "../view/run.ts";
import { drawRunGraph } from "../view/run_graph.ts";
import { wordsFor } from "../view/vocabulary.ts";

/** An artifact with previews of its files. */
export interface ShownArtifact {
  /** Name of the returned output, or `node:output`. */
  readonly name: string;
  readonly artifact: ArtifactView;
  readonly previews: readonly FilePreview[];
  readonly lineage?: Lineage;
  /** Its codec's summary. */
  readonly summary?: string;
}

/** All data of a report. */
export interface ReportModel {
  readonly view: RunView;
  /** The run's answer to its pipeline's question. */
  readonly answer?: RunAnswer | undefined;
  readonly graph: string;
  readonly outputs: readonly ShownArtifact[];
  /** Pictures made by stages that are not among the returned outputs. */
  readonly pictures: readonly ShownArtifact[];
  readonly seeds: ReturnType<typeof acrossSeeds>;
  readonly how: ReturnType<typeof reproduction>;
  /** Ends of the logs of failed nodes. */
  readonly failures: readonly { readonly node: NodeView; readonly log: string }[];
}

/** Maximum total size of pictures in a report in bytes; any more are only listed by name. */
const PICTURE_BYTES = 24 << 20;

/** Gathers the data of a run's report. */
export async function reportModel(store: Store, records: Records, run: RunRecord): Promise<ReportModel> {
  const view = viewRun(store, records, run);
  const nodes = new Map(view.nodes.map((node) => [node.name, node]));
  let budget = PICTURE_BYTES;
  const show = async (name: string, node: NodeView, artifact: ArtifactView): Promise<ShownArtifact> => {
    const previews = await previewArtifact(store, artifact, await wordsFor(store, nodes, node));
    const summary = records.summary(artifact.digest);
    return {
      name,
      artifact,
      ...(summary === undefined ? {} : { summary }),
      previews: previews.map((one) => {
        const bytes = JSON.stringify(one.preview).length;
        budget -= bytes > 100_000 ? bytes : 0;
        return budget >= 0
          ? one
          : { file: one.file, preview: { kind: "opaque", why: "left out: the report is full" } };
      }),
    };
  };
  const outputs: ShownArtifact[] = [];
  const makers: KnownMakers = new Map();
  for (const output of view.outputs) {
    const node = nodes.get(output.node);
    const artifact = node?.outputs.find((one) => one.output === output.output);
    if (node === undefined || artifact === undefined) continue;
    const record = records.artifactsOfKey(node.key!).find((one) => one.output === output.output)!;
    outputs.push({
      ...await show(output.name, node, artifact),
      lineage: lineageOf(records, record, makers),
    });
  }
  // Outputs that answer the question come first, then charts, values and texts, then pictures; circuits are last.
  const asked = records.question(run.id)?.headline?.values.map(({ output }) => output) ?? [];
  const rank = ({ name, artifact, previews }: ShownArtifact) =>
    asked.includes(name)
      ? 0
      : artifact.codec === "charts"
      ? 1
      : previews.some(({ preview }) => preview.kind === "circuit")
      ? 4
      : previews.some(({ preview }) => preview.kind === "value" || preview.kind === "text")
      ? 2
      : 3;
  outputs.sort((a, b) => rank(a) - rank(b));
  const returned = new Set(outputs.map((one) => one.artifact.digest));
  const pictures: ShownArtifact[] = [];
  for (const node of view.nodes) {
    for (const artifact of node.outputs) {
      if (returned.has(artifact.digest) || !artifact.files.some((file) => pictureType(file.name))) continue;
      if (store.droppedOutputs(node.key!)?.[artifact.output] !== undefined) continue;
      pictures.push(await show(`${node.name}:${artifact.output}`, node, artifact));
    }
  }
  return {
    view,
    answer: await recordedAnswer(store, records, run.id),
    graph: await drawRunGraph(view.nodes, (node) => `#${nodeId(node)}`, {
      background: "transparent",
      direction: "right",
    }),
    outputs,
    pictures,
    seeds: acrossSeeds(records, run),
    how: reproduction(run),
    failures: view.nodes.filter((node) => node.state === "failed").map((node) => ({
      node,
      log: node.log === null ? "" : readLogEnd(store, node.log),
    })),
  };
}

/** Id of a node's row. */
export function nodeId(node: NodeView): string {
  return `node-${node.position}`;
}

/** Id of an artifact's row: the first with that digest. */
export function artifactId(digest: string): string {
  return `artifact-${digest.slice(0, 20)}`;
}

import { bytesText, valueText } from "../foundation/format.ts";
import { measuredNodes } from "./compare.ts";
import type { Records } from "./records/records.ts";
import type { ArtifactRecord, RunRecord } from "./records/rows.ts";
import { artifactSize } from "./store/artifacts.ts";

/** Artifacts that are models, by their codecs. */
const MODELS: ReadonlySet<string> = new Set(["circuit", "patch-model"]);

/** A model card for an exported model (Mitchell et al. 2019): what it is, what it was made by, what it came to. Undefined for other artifacts. */
export function modelCard(records: Records, record: ArtifactRecord): string | undefined {
  const { artifact } = record;
  if (!MODELS.has(artifact.codec)) return undefined;
  const run = records.findRuns(record.run).find((one) => one.id === record.run);
  const rows = (entries: readonly (readonly [string, string])[]) =>
    ["| | |", "| --- | --- |", ...entries.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`)].join(
      "\n",
    );
  const facts = Object.entries(artifact.facts).map(([name, value]) => [name, valueText(value)] as const);
  const measured = run === undefined ? [] : measuredOf(records, run, record);
  return `# ${record.node}:${record.output}

A ${
    artifact.codec === "circuit"
      ? "probabilistic circuit"
      : "model of image patches by probabilistic circuits"
  }: likelihoods, marginals,
conditionals and samples of it are exact. Made by stage \`${record.stage}\` of the pipeline \`${record.pipeline}\`.

## What it is

${rows([...facts, ["size", bytesText(artifactSize(artifact))], ["digest", artifact.digest]])}

## What it came to

${measured.length === 0 ? "Nothing was measured of it in the run that made it." : rows(measured)}

## What it was made by

${
    rows([
      ["run", record.run],
      ...Object.entries(record.components.params).map(([name, value]) =>
        [`parameter ${name}`, valueText(value)] as const
      ),
      ...(record.components.seed === undefined ? [] : [["seed", String(record.components.seed)] as const]),
      ...Object.entries(record.components.inputs).map(([name, digest]) =>
        [`input ${name}`, [digest].flat().join(", ")] as const
      ),
      ...(run === undefined ? [] : [
        ["command", run.command] as const,
        ["Retort", run.environment.retort] as const,
        ["code", run.environment.git === null ? "outside a repository" : run.environment.git.commit] as const,
      ]),
    ])
  }

## What it is for, and what not

The pipeline's question and data decide that: see the run's report (\`deno task report ${record.run}\`). It says nothing of data
unlike what it was learned from. The licence of that data holds for what is done with it.
`;
}

/** A card as the Hub reads it: with what its lists and filters go by at the head. */
export function hubCard(card: string, license?: string): string {
  const head = [
    ...(license === undefined ? [] : [`license: ${JSON.stringify(license)}`]),
    "library_name: retort",
    "tags:",
    "- probabilistic-circuit",
    "- tractable-inference",
  ];
  return `---\n${head.join("\n")}\n---\n\n${card}`;
}

/** What the nodes that read the artifact, and the one that made it, measured. */
function measuredOf(
  records: Records,
  run: RunRecord,
  record: ArtifactRecord,
): (readonly [string, string])[] {
  const readers = new Set(
    records.edges(run.id).filter((edge) => edge.source === record.node && edge.output === record.output)
      .map((edge) => edge.node),
  );
  return measuredNodes(records, run).filter(({ node }) => node.name === record.node || readers.has(node.name))
    .flatMap(({ node, values }) =>
      Object.entries(values).map(([name, value]) => [`${name} (${node.name})`, valueText(value)] as const)
    );
}

/** A cell of a Markdown table. */
function cell(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(/\s+/g, " ");
}

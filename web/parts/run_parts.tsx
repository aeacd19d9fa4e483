import { bytesText, durationText, factsText, valueText } from "../../foundation/format.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import type { ResultTable, SeedTable } from "../view/results.ts";
import type { Spread } from "../../foundation/spread.ts";
import type { ArtifactView, NodeView } from "../view/run.ts";
import type { Reproduction } from "../view/reproduce.ts";
import { Link, Time, usePlace } from "./place.tsx";
import { ProgressBar, State, took } from "./status.tsx";
import { Facts, Table } from "./values.tsx";

/** The nodes of a run in the order of its graph. `ids` gives row ids for links. */
export function NodesTable({ nodes, ids }: { nodes: readonly NodeView[]; ids?: (node: NodeView) => string }) {
  const place = usePlace();
  return (
    <Table
      caption="Nodes"
      head={["node", "stage", "state", "took", "why"]}
      {...(ids === undefined ? {} : { ids: nodes.map(ids) })}
      rows={nodes.map((node) => [
        // Rows with ids are link targets themselves.
        <Link key="n" to={ids === undefined ? place.node(node.name) : undefined}>{node.name}</Link>,
        node.stage,
        <span key="s">
          <State node={node} /> <ProgressBar node={node} />
          {node.attempts.length > 1 && <span class="faint">{` tried ${node.attempts.length} times`}</span>}
        </span>,
        took(node),
        <Why key="w" node={node} />,
      ])}
    />
  );
}

/** Why a node ran, or did not. */
export function Why({ node }: { node: NodeView }) {
  const place = usePlace();
  if (node.error !== null) {
    return <span class="fault" title={node.code ?? undefined}>{node.error}</span>;
  }
  if (node.data) return <>outside the store</>;
  if (node.maker !== null) {
    return (
      <>
        made by <Link to={place.run(node.maker.run)}>{node.maker.run}</Link>
        {node.maker.node === node.name ? "" : ` as ${node.maker.node}`}
      </>
    );
  }
  return <>{node.reasons.join("; ")}</>;
}

/** `1.234 ± 0.012`: the mean with as many digits as the deviation justifies. */
export function spreadText(spread: Spread | null): string {
  if (spread === null) return "–";
  const { mean, deviation } = spread;
  if (deviation === null || deviation === 0) return valueText(mean);
  const digits = 1 - Math.floor(Math.log10(deviation));
  if (digits > 6) return `${valueText(mean)} ± ${Number(deviation.toPrecision(2))}`;
  const places = Math.max(0, digits);
  return `${mean.toFixed(places)} ± ${deviation.toFixed(places)}`;
}

/** The last metrics of a stage, one row per variant of its sweep. */
export function ResultsTable({ table }: { table: ResultTable }) {
  const repeated = table.rows.some((row) => row.nodes.length > 1);
  const lead = table.columns.length > 0 ? table.columns : ["node"];
  const chosen = table.choices.map((name) => `chosen ${name}`);
  const head = [...lead, ...chosen, ...(repeated ? ["seeds"] : []), ...table.metrics];
  return (
    <Table
      caption={`Results of ${table.stage}`}
      head={head}
      numeric={head.flatMap((_, i) => i >= lead.length + chosen.length ? [i] : [])}
      rows={table.rows.map((row) => [
        ...(table.columns.length > 0 ? row.values.map(valueText) : [row.nodes.join(", ")]),
        ...row.chosen,
        ...(repeated ? [String(row.nodes.length)] : []),
        ...row.cells.map((cell, i) => (
          <span key={i} title={cell === null ? "" : `${valueText(cell.min)} to ${valueText(cell.max)}`}>
            {spreadText(cell)}
          </span>
        )),
      ])}
    />
  );
}

/** Variation of the run's numbers across seeds. */
export function Seeds({ table }: { table: SeedTable }) {
  return (
    <>
      <p>
        {table.runs.length} runs with the same parameters and code and the seeds{" "}
        {table.runs.map((one) => one.seed).join(", ")}: mean ± standard deviation.
      </p>
      <Table
        caption="Results over the seeds of runs"
        head={["node", "metric", "mean ± deviation", "lowest", "highest"]}
        numeric={[2, 3, 4]}
        rows={table.rows.map((row) => [
          row.node,
          row.metric,
          spreadText(row.spread),
          valueText(row.spread.min),
          valueText(row.spread.max),
        ])}
      />
    </>
  );
}

/** Summary of a run, at the top of its page. */
export function RunFacts({ run }: { run: RunRecord }) {
  return (
    <Facts
      line
      facts={[
        ["started", <Time key="t" at={run.started} />],
        ["took", run.ended === null ? "–" : durationText(run.ended - run.started)],
        ["seed", String(run.seed)],
        ["engine asked for", run.environment.engine],
        ["file", <code key="f">{run.file}</code>],
      ]}
    />
  );
}

/** Machine, versions and packages of a run. */
export function EnvironmentFacts({ run }: { run: RunRecord }) {
  const { environment: e } = run;
  return (
    <>
      <Facts
        facts={[
          ["Retort", e.retort],
          ["Deno", `${e.deno} (V8 ${e.v8}, TypeScript ${e.typescript})`],
          ["system", `${e.os}, ${e.cores} cores`],
          ["host", e.host],
          [
            "code",
            e.git === null
              ? "no repository"
              : <code key="g">{e.git.commit}{e.git.dirty ? " with changes" : ""}</code>,
          ],
        ]}
      />
      <details>
        <summary>Packages</summary>
        <Table
          caption="Packages"
          head={["package", "version"]}
          rows={Object.entries(e.packages).map(([name, version]) => [name, version])}
        />
      </details>
    </>
  );
}

/** How to make a run again. */
export function Reproduce({ how }: { how: Reproduction }) {
  return (
    <>
      <p>Word for word what was called:</p>
      <Command text={how.called} name="the command that was called" />
      <p>The same with code, runtime, every parameter and the seed spelled out:</p>
      <Command text={how.commands.join("\n")} name="the command that makes the run again" />
      {how.warnings.map((warning) => <p key={warning} class="warning">{warning}</p>)}
    </>
  );
}

function Command({ text, name }: { text: string; name: string }) {
  return <pre class="command" tabIndex={0} role="region" aria-label={name}>{text}</pre>;
}

/** The files of data outside the store with their digests. */
export function DataTable({ nodes }: { nodes: readonly NodeView[] }) {
  const files = nodes.filter((node) => node.data).flatMap((node) =>
    node.outputs.flatMap((output) => output.files.map((file) => ({ node: node.name, ...file })))
  );
  if (files.length === 0) return <p>The run read no data from outside the store.</p>;
  return (
    <Table
      caption="Data"
      head={["source", "file", "size", "sha256", "place"]}
      rows={files.map((file) => [
        file.node,
        file.name,
        bytesText(file.size),
        <code key="d">{file.digest}</code>,
        <code key="p">{file.location ?? ""}</code>,
      ])}
    />
  );
}

/** Every artifact of a run with what it was made from. */
export function ArtifactsTable(
  { nodes, ids }: { nodes: readonly NodeView[]; ids?: (digest: string, node: NodeView) => string },
) {
  const place = usePlace();
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const rows = nodes.flatMap((node) => node.outputs.map((artifact) => ({ node, artifact })));
  return (
    <Table
      caption="Artifacts"
      head={["artifact", "type", "size", "facts", "digest", "made from"]}
      {...(ids === undefined ? {} : { ids: rows.map(({ node, artifact }) => ids(artifact.digest, node)) })}
      rows={rows.map(({ node, artifact }) => [
        `${node.name}:${artifact.output}`,
        artifact.codec,
        bytesText(artifact.bytes),
        shortFacts(artifact),
        <Link key="d" to={place.artifact(artifact.digest)}>
          <code>{artifact.digest.slice(0, 12)}</code>
        </Link>,
        <MadeFrom key="m" node={node} artifactOf={(name, output) => outputOf(byName.get(name), output)} />,
      ])}
    />
  );
}

function outputOf(node: NodeView | undefined, output: string): ArtifactView | undefined {
  return node?.outputs.find((one) => one.output === output);
}

function MadeFrom(
  { node, artifactOf }: {
    node: NodeView;
    artifactOf: (node: string, output: string) => ArtifactView | undefined;
  },
) {
  const place = usePlace();
  if (node.data) return <>data outside the store</>;
  if (node.inputs.length === 0) return <>no inputs</>;
  const list = (
    <ul class="plain">
      {node.inputs.map((input, i) => {
        const artifact = artifactOf(input.node, input.output);
        return (
          <li key={i}>
            {input.name} ←{" "}
            <Link to={artifact && place.artifact(artifact.digest)}>{input.node}:{input.output}</Link>
          </li>
        );
      })}
    </ul>
  );
  if (node.inputs.length <= 4) return list;
  return (
    <details>
      <summary>{node.inputs.length} artifacts</summary>
      {list}
    </details>
  );
}

function shortFacts(artifact: ArtifactView): string {
  const text = factsText(artifact.facts);
  return text === "" ? "–" : text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Why a node failed, in its own words: below its name, so that its cause is seen before anything else. */
export function FailureText({ node }: { node: NodeView }) {
  return (
    <>
      <h3>
        <Link to={usePlace().node(node.name)}>{node.name}</Link>
      </h3>
      <p class="fault">
        {node.error}
        {node.code !== null && <code class="faint">{` [${node.code}]`}</code>}
      </p>
    </>
  );
}

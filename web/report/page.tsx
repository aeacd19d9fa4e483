import type { ComponentChildren } from "preact";
import { legible } from "../parts/legible.ts";
import { AnswerCard } from "../parts/answer.tsx";
import { CurveFigure } from "../parts/curves.tsx";
import { LineageTree } from "../parts/lineage.tsx";
import { Link, usePlace } from "../parts/place.tsx";
import { ArtifactContent } from "../parts/preview.tsx";
import {
  ArtifactsTable,
  DataTable,
  EnvironmentFacts,
  FailureText,
  NodesTable,
  Reproduce,
  ResultsTable,
  RunFacts,
  Seeds,
} from "../parts/run_parts.tsx";
import { countsText, Status } from "../parts/status.tsx";
import { Facts, Params } from "../parts/values.tsx";
import { ThemeChoice } from "../parts/theme.tsx";
import { Wordmark } from "../parts/wordmark.tsx";
import type { NodeView } from "../view/run.ts";
import { artifactId, nodeId, type ReportModel, type ShownArtifact } from "./model.ts";

interface Part {
  readonly id: string;
  readonly title: string;
  /** Whether the section starts folded. */
  readonly folded?: boolean;
  readonly content: ComponentChildren;
}

/** The whole page of a report. */
export function ReportPage({ model }: { model: ReportModel }) {
  const { view } = model;
  const parts = partsOf(model);
  return (
    <div class="page">
      <a class="skip" href="#main">To the content</a>
      <header>
        <div class="masthead">
          <Wordmark />
          <ThemeChoice />
        </div>
        <h1>{view.run.pipeline}</h1>
        <p class="bar">
          <Status status={view.status} />
          <span>
            run <code>{view.run.id}</code>
          </span>
          <span class="faint">{countsText(counts(view.nodes))}</span>
        </p>
      </header>
      <main id="main" tabIndex={-1}>
        {model.answer !== undefined && <AnswerCard answer={model.answer} roles={view.roles} />}
        <nav class="bar" aria-label="Contents">
          <ul>
            {parts.map((part) => (
              <li key={part.id}>
                <a href={`#${part.id}`}>{part.title}</a>
              </li>
            ))}
          </ul>
        </nav>
        {parts.filter(({ folded }) => !folded).map((part) => (
          <section key={part.id} id={part.id} aria-labelledby={`${part.id}-title`}>
            <h2 id={`${part.id}-title`}>{part.title}</h2>
            {part.content}
          </section>
        ))}
        {parts.filter(({ folded }) => folded).map((part) => (
          <details key={part.id} id={part.id} class="part">
            <summary>
              <h2>{part.title}</h2>
            </summary>
            {part.content}
          </details>
        ))}
        <p class="printed faint">
          What is folded is not printed: open it in the file, then print.
        </p>
      </main>
    </div>
  );
}

function counts(nodes: readonly NodeView[]) {
  const found: Partial<Record<NodeView["state"], number>> = {};
  for (const { state } of nodes) found[state] = (found[state] ?? 0) + 1;
  return found;
}

/** The non-empty parts, in reading order. */
function partsOf(model: ReportModel): Part[] {
  const { view } = model;
  const parts: (Part | false)[] = [
    model.failures.length > 0 &&
    { id: "failures", title: "What failed", content: <Failures model={model} /> },
    view.charts.length > 0 && {
      id: "curves",
      title: "Curves",
      content: (
        <div class="charts">
          {view.charts.map((chart) => <CurveFigure key={`${chart.stage} ${chart.metric}`} chart={chart} />)}
        </div>
      ),
    },
    model.outputs.length > 0 && {
      id: "outputs",
      title: "Outputs",
      content: model.outputs.map((output) => <Output key={output.name} shown={output} />),
    },
    model.pictures.length > 0 && {
      id: "pictures",
      title: "Pictures",
      content: model.pictures.map((output) => <Output key={output.name} shown={output} />),
    },
    (view.tables.length > 0 || model.seeds !== undefined) && {
      id: "results",
      title: "Results of each stage",
      folded: model.answer !== undefined,
      content: (
        <>
          {view.tables.map((table) => (
            <div key={table.stage}>
              <h3>{table.stage}</h3>
              <ResultsTable table={table} />
            </div>
          ))}
          {model.seeds !== undefined && (
            <>
              <h3>Over seeds of the run</h3>
              <Seeds table={model.seeds} />
            </>
          )}
        </>
      ),
    },
    { id: "graph", title: "Graph", folded: true, content: <Graph svg={model.graph} /> },
    {
      id: "nodes",
      title: "Nodes",
      folded: true,
      content: <NodesTable nodes={view.nodes} ids={nodeId} />,
    },
    {
      id: "parameters",
      title: "Parameters",
      folded: true,
      content: <AllParams nodes={view.nodes} model={model} />,
    },
    { id: "data", title: "Data", folded: true, content: <DataTable nodes={view.nodes} /> },
    {
      id: "artifacts",
      title: "Artifacts and lineage",
      folded: true,
      content: <ArtifactsTable nodes={view.nodes} ids={artifactIds(view.nodes)} />,
    },
    {
      id: "environment",
      title: "Environment",
      folded: true,
      content: (
        <>
          <RunFacts run={view.run} />
          <EnvironmentFacts run={view.run} />
        </>
      ),
    },
    { id: "reproduce", title: "Make it again", content: <Reproduce how={model.how} /> },
  ];
  return parts.filter((part) => part !== false);
}

/** The first row of each digest has the plain id, which links point to. */
function artifactIds(nodes: readonly NodeView[]) {
  const first = new Map<string, NodeView>();
  for (const node of nodes) {
    for (const { digest } of node.outputs) if (!first.has(digest)) first.set(digest, node);
  }
  return (digest: string, node: NodeView) =>
    first.get(digest) === node ? artifactId(digest) : `${artifactId(digest)}-${node.position}`;
}

function Failures({ model }: { model: ReportModel }) {
  return (
    <>
      {model.failures.map(({ node, log }) => (
        <div key={node.name}>
          <FailureText node={node} />
          {log !== "" && (
            <pre
              class="log"
              tabIndex={0}
              role="region"
              aria-label={`end of the log of ${node.name}`}
            >{log}</pre>
          )}
        </div>
      ))}
    </>
  );
}

function Output({ shown }: { shown: ShownArtifact }) {
  const place = usePlace();
  return (
    <div class="output">
      <h3>{shown.name}</h3>
      <p class="faint">
        {shown.artifact.codec},{" "}
        <Link to={place.artifact(shown.artifact.digest)}>
          <code>{shown.artifact.digest.slice(0, 16)}</code>
        </Link>
      </p>
      <ArtifactContent
        summary={shown.summary}
        artifact={shown.artifact}
        previews={shown.previews}
        name={shown.name}
      />
      {shown.lineage !== undefined && (
        <details class="lineage">
          <summary>Made from</summary>
          <LineageTree lineage={shown.lineage} />
        </details>
      )}
    </div>
  );
}

function Graph({ svg }: { svg: string }) {
  return (
    <figure class="drawn">
      <div
        class="graph scroll"
        tabIndex={0}
        role="region"
        aria-label="the pipeline's graph; the table of nodes says the same"
        dangerouslySetInnerHTML={{ __html: legible(svg) }}
      />
      <figcaption>
        Boxes lead to the table of nodes. “Saved” is what a result from the cache took when it was made.
      </figcaption>
    </figure>
  );
}

function AllParams({ model, nodes }: { model: ReportModel; nodes: readonly NodeView[] }) {
  const own = nodes.filter((node) => Object.keys(node.params).length > 0 || node.seed !== null);
  return (
    <>
      <h3>Of the pipeline</h3>
      <Params params={model.view.run.params} />
      <details>
        <summary>Of each node</summary>
        {own.map((node) => (
          <div key={node.name}>
            <h4>{node.name}</h4>
            <Params params={node.params} />
            <Facts
              facts={[
                ...(node.seed === null ? [] : [["seed", String(node.seed)] as const]),
                ...(node.key === null
                  ? []
                  : [["key", <code key="k">{node.key.slice(0, 16)}</code>] as const]),
                ...(node.engine === null
                  ? []
                  : [["engine", `${node.engine.engine} ${node.engine.adapter ?? ""}`] as const]),
              ]}
            />
          </div>
        ))}
      </details>
    </>
  );
}

/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { AnswerCard } from "../../parts/answer.tsx";
import { WordTable } from "../../parts/preview.tsx";
import { CurveFigure } from "../../parts/curves.tsx";
import { Link, usePlace } from "../../parts/place.tsx";
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
} from "../../parts/run_parts.tsx";
import { Params, Table } from "../../parts/values.tsx";
import type { SeedTable } from "../../view/results.ts";
import type { RunView } from "../../view/run.ts";
import type { RunPageData } from "../api.ts";
import { Annotate } from "./annotate.tsx";
import { useAsk } from "./client.ts";
import { Copy } from "./copy.tsx";
import { Contents, Section, Shown, Title } from "./frame.tsx";
import { RunGraphView } from "./graph.tsx";
import { RunBar } from "./run_bar.tsx";
import { useLiveRun } from "./live_run.ts";
import { to } from "./routes.ts";

/** Failed nodes whose causes are shown first; a fault often ends many nodes. */
const FAILURES = 3;

/** Page of a run, updated live. */
export function RunPage({ id, at }: { id: string; at: string | null }) {
  const { loaded, connection, fault } = useLiveRun(id);
  return (
    <Shown loaded={loaded} title={`Run ${id}`}>
      {(data) => {
        const { view, answer, tables, how, annotation } = data;
        const failed = view.nodes.filter(({ error }) => error !== null);
        return (
          <>
            <Title text={`${view.run.pipeline} ${view.run.id}`}>{view.run.pipeline}</Title>
            <RunBar data={data} connection={connection} fault={fault} />
            {answer !== null && <AnswerCard answer={answer} roles={view.roles} />}
            <Contents
              titles={sectionsOf(data)}
              href={(section) => to.section(view.run.id, section)}
              at={at}
            />
            <RunFacts run={view.run} />
            {failed.length > 0 && (
              <Section title="What failed">
                {failed.slice(0, FAILURES).map((node) => <FailureText key={node.name} node={node} />)}
                {failed.length > FAILURES && <p>{failed.length - FAILURES} more are below, under Nodes.</p>}
              </Section>
            )}
            <InOrder
              running={view.status === "running"}
              work={
                <>
                  <Section title="Graph">
                    <RunGraphView id={view.run.id} nodes={view.nodes} loaded={data.now} />
                  </Section>
                  <Section title="Nodes">
                    <NodesTable nodes={view.nodes} />
                  </Section>
                </>
              }
              found={
                <>
                  {view.charts.length > 0 && (
                    <Section title="Curves">
                      <div class="charts">
                        {view.charts.map((chart) => (
                          <CurveFigure key={`${chart.stage} ${chart.metric}`} chart={chart} />
                        ))}
                      </div>
                    </Section>
                  )}
                  {view.outputs.some(({ digest }) => digest !== null) && (
                    <Section title="Outputs">
                      <Outputs view={view} tables={tables} />
                    </Section>
                  )}
                </>
              }
            />
            {view.tables.length > 0 && (
              <Section title="Results of each stage" folded={answer !== null}>
                {view.tables.map((table) => (
                  <div key={table.stage}>
                    <h3>{table.stage}</h3>
                    <ResultsTable table={table} />
                  </div>
                ))}
                {view.status === "done" && <OverSeeds id={view.run.id} />}
              </Section>
            )}
            <Annotate key={view.run.id} run={view.run.id} annotation={annotation} />
            <Section title="Parameters" folded>
              <Params params={view.run.params} />
            </Section>
            <Section title="Data" folded>
              <DataTable nodes={view.nodes} />
            </Section>
            <Section title="Artifacts" folded>
              <ArtifactsTable nodes={view.nodes} />
            </Section>
            <Section title="Environment" folded>
              <EnvironmentFacts run={view.run} />
            </Section>
            <Section title="Make it again">
              <Reproduce how={how} />
              <Copy text={() => how.commands.join("\n")} what="the commands that make the run again" beside />
            </Section>
          </>
        );
      }}
    </Shown>
  );
}

/** Orders the parts of a page: while a run is active its progress comes first, afterwards its results. */
function InOrder(
  { running, work, found }: { running: boolean; work: ComponentChildren; found: ComponentChildren },
) {
  return running ? <>{work}{found}</> : <>{found}{work}</>;
}

/** Titles of the sections that a run's page has, in their order. */
function sectionsOf({ view }: RunPageData): (string | false)[] {
  const found = [
    view.charts.length > 0 && "Curves",
    view.outputs.some(({ digest }) => digest !== null) && "Outputs",
  ];
  const work = ["Graph", "Nodes"];
  return [
    view.nodes.some(({ error }) => error !== null) && "What failed",
    ...view.status === "running" ? [...work, ...found] : [...found, ...work],
    view.tables.length > 0 && "Results of each stage",
    ...["Notes", "Parameters", "Data", "Artifacts", "Environment", "Make it again"],
  ];
}

/** Outputs that are read as tables, each with its own; then the others, by name. */
function Outputs({ view, tables }: { view: RunView; tables: RunPageData["tables"] }) {
  const place = usePlace();
  const named = new Map(view.outputs.map((output) => [output.name, output]));
  const others = view.outputs.filter(({ name }) => !tables.some((one) => one.name === name));
  return (
    <>
      {tables.map(({ name, tables }) => (
        <div key={name} class="output">
          <h3>
            <Link to={place.artifact(named.get(name)!.digest!)}>{name}</Link>
          </h3>
          {tables.map((table, i) => <WordTable key={i} table={table} />)}
        </div>
      ))}
      {others.length > 0 && (
        <Table
          caption={tables.length === 0 ? "Outputs" : "Other outputs"}
          head={[tables.length === 0 ? "output" : "other output", "artifact"]}
          rows={others.map((output) => [
            output.name,
            output.digest === null
              ? "not made yet"
              : <Link key="a" to={place.artifact(output.digest)}>{output.node}:{output.output}</Link>,
          ])}
        />
      )}
    </>
  );
}

function OverSeeds({ id }: { id: string }) {
  const seeds = useAsk<SeedTable | null>(`api/seeds?id=${encodeURIComponent(id)}`);
  if (seeds.value === undefined || seeds.value === null) return null;
  return (
    <>
      <h3>Over seeds of the run</h3>
      <Seeds table={seeds.value} />
    </>
  );
}

/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { CurveFigure } from "../../parts/curves.tsx";
import { Link, Time, usePlace } from "../../parts/place.tsx";
import { Why } from "../../parts/run_parts.tsx";
import { ProgressBar, State, took } from "../../parts/status.tsx";
import { Facts, Params, Table } from "../../parts/values.tsx";
import type { LogPiece } from "../../view/log.ts";
import type { NodeView, RunView } from "../../view/run.ts";
import { bytesText, durationText, factsText } from "../../../foundation/format.ts";
import type { Standing } from "../standing.ts";
import { ask, useAsk } from "./client.ts";
import { Live, Problem, Section, Shown, Title } from "./frame.tsx";
import { useLiveRun } from "./live_run.ts";
import { dataOf, to } from "./routes.ts";
import { standingFacts } from "./standing.tsx";

/** Page of a node: why it ran, its curves, its outputs, and its log, live. */
export function NodePage({ run, name }: { run: string; name: string }) {
  const [pieces, setPieces] = useState<readonly LogPiece[]>([]);
  const { loaded, connection, fault } = useLiveRun(
    run,
    name,
    (piece) => setPieces((before) => joined(before, piece)),
  );
  return (
    <Shown loaded={loaded} title={name}>
      {({ view }) => {
        const node = view.nodes.find((one) => one.name === name);
        return (
          <>
            <Title text={`${name} ${run}`}>{name}</Title>
            <p class="bar">
              <a href={to.run(run)}>run {run}</a>
              <Live connection={connection} fault={fault} status={view.status} />
            </p>
            {node === undefined
              ? <Problem error={new Error(`the run has no node ${name}`)} />
              : <Shape view={view} node={node} />}
            {node !== undefined && node.log !== null && (
              <Section title="Log">
                <Log run={run} node={node} pieces={pieces} setPieces={setPieces} />
              </Section>
            )}
          </>
        );
      }}
    </Shown>
  );
}

function Shape({ view, node }: { view: RunView; node: NodeView }) {
  const place = usePlace();
  // Asked again when the node has come further.
  const { value: standing } = useAsk<Standing>(`${dataOf.standing(view.run.id, node.name)}&at=${node.state}`);
  const charts = view.charts.map((chart) => ({
    ...chart,
    series: chart.series.filter((one) => one.node === node.name),
  })).filter((chart) => chart.series.length > 0);
  return (
    <>
      <Facts
        facts={[
          [
            "state",
            <span key="s">
              <State node={node} /> <ProgressBar node={node} />
            </span>,
          ],
          ...node.attempts.length === 0 ? [] : [["attempts", <Attempts key="a" node={node} />] as const],
          ["stage", node.stage],
          ...placeFacts(node),
          ["started", <Time key="t" at={node.started} />],
          ["took", took(node)],
          ...(node.seed === null ? [] : [["seed", String(node.seed)] as const]),
          ...(node.key === null ? [] : [["key", <code key="k">{node.key.slice(0, 16)}</code>] as const]),
          ...(node.engine === null
            ? []
            : [["engine", `${node.engine.engine} ${node.engine.adapter ?? ""}`] as const]),
          [
            "why",
            <span key="w" class="whole">
              <Why node={node} />
            </span>,
          ],
          ...(standing === undefined ? [] : standingFacts(standing)),
        ]}
      />
      {charts.length > 0 && (
        <Section title="Curves">
          <div class="charts">
            {charts.map((chart) => <CurveFigure key={chart.metric} chart={chart} />)}
          </div>
        </Section>
      )}
      <Section title="Parameters">
        <Params params={node.params} />
      </Section>
      {node.inputs.length > 0 && (
        <Section title="Inputs">
          <Table
            caption="Inputs"
            head={["input", "from"]}
            rows={node.inputs.map((input) => [
              input.name,
              <Link key="f" to={place.node(input.node)}>{input.node}:{input.output}</Link>,
            ])}
          />
        </Section>
      )}
      {node.outputs.length > 0 && (
        <Section title="Outputs">
          <Table
            caption="Outputs"
            head={["output", "type", "size", "facts"]}
            rows={node.outputs.map((output) => [
              <Link key="o" to={place.artifact(output.digest)}>{output.output}</Link>,
              output.codec,
              bytesText(output.bytes),
              factsText(output.facts) || "–",
            ])}
          />
        </Section>
      )}
    </>
  );
}

/** Where a node ran, and what it took of what it had asked for. */
function placeFacts({ place, seconds }: NodeView): (readonly [string, string])[] {
  if (place === null) return [];
  const { host, worker, waited, used, memory, time } = place;
  const share = (part: number, whole: number) => `${Math.round(100 * part / whole)} %`;
  return [
    ...host === null ? [] : [["ran on", `${host}, worker ${worker}`] as const],
    ...waited === null ? [] : [["waited for a worker", durationText(waited)] as const],
    ...memory === null ? [] : [
      [
        "memory",
        used === null
          ? `${bytesText(memory)} asked for`
          : `${bytesText(used)} of ${bytesText(memory)} asked for (${share(used, memory)})`,
      ] as const,
    ],
    ...time === null ? [] : [
      [
        "time",
        seconds === null
          ? `${durationText(time)} asked for`
          : `${durationText(seconds)} of ${durationText(time)} asked for (${share(seconds, time)})`,
      ] as const,
    ],
  ];
}

/** The executions of a node that failed or were tried again. */
function Attempts({ node }: { node: NodeView }) {
  return (
    <ol class="plain">
      {node.attempts.map(({ attempt, seconds, cause, code, error }) => (
        <li key={attempt}>
          {attempt}:{" "}
          {cause === null ? "done" : <span class="fault" title={error ?? ""}>{cause} ({code})</span>} after
          {" "}
          {durationText(seconds)}
        </li>
      ))}
    </ol>
  );
}

/** Whether a node will print nothing more. */
function isOver({ state }: NodeView): boolean {
  return state !== "pending" && state !== "running";
}

/** Maximum number of log characters held by a page; more would make it slow. */
const HELD = 1_000_000;

/** Appends a piece. One that does not continue the log replaces it. */
function joined(before: readonly LogPiece[], piece: LogPiece): readonly LogPiece[] {
  const last = before.at(-1);
  if (last === undefined || piece.from !== last.to) return [piece];
  const pieces = [...before, piece];
  let held = pieces.reduce((sum, one) => sum + one.text.length, 0);
  while (held > HELD && pieces.length > 1) held -= pieces.shift()!.text.length;
  return pieces;
}

function Log(
  { run, node, pieces, setPieces }: {
    run: string;
    node: NodeView;
    pieces: readonly LogPiece[];
    setPieces: (change: (before: readonly LogPiece[]) => readonly LogPiece[]) => void;
  },
) {
  const [error, setError] = useState<Error>();
  const address = `api/log?${new URLSearchParams({ run, node: node.name })}`;
  useEffect(() => {
    ask<LogPiece>(address).then(
      (piece) => setPieces((before) => before.length === 0 ? [piece] : before),
      setError,
    );
  }, [address]);
  const first = pieces[0];
  const earlier = async () => {
    try {
      const piece = await ask<LogPiece>(`${address}&before=${first!.from}`);
      setPieces((before) => before[0]?.from === piece.to ? [piece, ...before].slice(0, 16) : before);
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <>
      {error !== undefined && <Problem error={error} />}
      {first !== undefined && first.from > 0 && (
        <p class="bar">
          <button type="button" onClick={earlier}>Earlier lines</button>
          <span class="faint">{bytesText(first.from)} come before</span>
        </p>
      )}
      <pre class="log" tabIndex={0} role="log" aria-label={`log of ${node.name}`} aria-live="off">
        {pieces.map((piece) => piece.text).join("") || (isOver(node) ? "It printed nothing." : "nothing yet")}
      </pre>
    </>
  );
}

import { messageOf, RetortError } from "../../foundation/errors.ts";
import type { GraphNode } from "../../runner/graph.ts";
import { eachInput } from "../../runner/inputs.ts";
import { reasonText } from "../../runner/key.ts";
import type { PlannedNode } from "../../runner/plan.ts";

import {
  ADAPTER,
  ENGINE,
  EXCEPT,
  FROM,
  JSON_OUTPUT,
  ONLY,
  type PipelineOptions,
  SEED,
  sessionOptions,
  SET,
  STORE,
  UNTIL,
  userPath,
  VERBOSE,
} from "../options.ts";
import { openPipeline } from "../session.ts";
import { movesTexts } from "../moves.ts";
import { movedBytes } from "../../runner/moves.ts";
import { temporaryOutputs } from "../temporary.ts";
import { note, print, printJson } from "../output.ts";
import { defineCommand } from "../command.ts";

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-run", "--allow-env", "--allow-ffi"];

export default defineCommand({
  name: "graph",
  summary: "draw a pipeline with the state of each node, as Mermaid text or SVG",
  permissions: PERMISSIONS,
  declare: (command) =>
    command.argument("<file>", "pipeline file").addOption(SET).addOption(SEED).addOption(ENGINE).addOption(
      ADAPTER,
    ).addOption(ONLY).addOption(FROM).addOption(UNTIL).addOption(EXCEPT).option(
      "--svg <path>",
      "write an SVG picture instead",
    ).addOption(STORE).addOption(
      JSON_OUTPUT,
    ).addOption(VERBOSE)
      .action(graph),
});

interface GraphOptions extends PipelineOptions {
  svg?: string;
  json?: true;
}

/** An edge of the drawing. */
interface Edge {
  readonly from: number;
  readonly to: number;
  /** Output and, where it differs, input. */
  readonly label: string;
}

/** Fill colours by state; told apart by their words as well. */
const COLOURS = {
  cached: "#c8e6c9",
  run: "#ffe0b2",
  again: "#ffcc80",
  unknown: "#bbdefb",
  data: "#e0e0e0",
  open: "#ffffff",
} as const;

type State = keyof typeof COLOURS;

/** What a state is called in the drawing. */
const WORDS: Record<State, string> = {
  cached: "cached",
  run: "to run",
  again: "to be made again",
  unknown: "maybe to run",
  data: "data",
  open: "not known yet",
};

/** A node of the drawing. */
interface Drawn {
  readonly name: string;
  readonly state: State;
  /** Its state in words, and what became of its temporary outputs. */
  readonly words: string;
  readonly tooltip: string;
}

async function graph(file: string, options: GraphOptions): Promise<void> {
  await using session = await openPipeline(sessionOptions(file, options), PERMISSIONS);
  const byNode = await session.plan(), plan = [...byNode.values()];
  const edges = edgesOf(plan.map((planned) => planned.node));
  const { awaited } = session.pipeline.graph;
  if (options.json) {
    return printJson({
      pipeline: session.pipeline.name,
      nodes: plan.map((planned) => ({
        node: planned.node.name,
        stage: planned.node.stage.name,
        state: stateOf(planned),
        reasons: planned.reasons.map(reasonText),
        temporary: temporaryOutputs(session, planned),
        moves: movedBytes(planned.node, byNode) ?? null,
      })),
      edges: edges.map((edge) => ({
        ...edge,
        from: plan[edge.from]!.node.name,
        to: plan[edge.to]!.node.name,
      })),
      awaited: awaited.map((source) => `${source.node.name}:${source.output}`),
      outputs: Object.fromEntries(
        [...session.outputs].map(([name, source]) => [name, `${source.node.name}:${source.output}`]),
      ),
    });
  }
  const position = new Map(plan.map((planned, i) => [planned.node, i]));
  const drawn: Drawn[] = plan.map((planned) => ({
    name: planned.node.name,
    state: stateOf(planned),
    words: [
      WORDS[stateOf(planned)],
      ...temporaryOutputs(session, planned).map(({ output, state }) => `${output} ${state}`),
    ].join(", "),
    tooltip: planned.reasons.map(reasonText).join("; "),
  }));
  // What follows from artifacts that the build waits for is one node that stands for all.
  if (awaited.length > 0) {
    drawn.push({ name: "…", state: "open", words: WORDS.open, tooltip: "the build waits for artifacts" });
  }
  for (const { node, output } of awaited) {
    edges.push({ from: position.get(node)!, to: plan.length, label: output });
  }
  for (const text of movesTexts(session, byNode)) note(text);
  if (options.svg === undefined) return print(mermaid(drawn, edges));
  const path = userPath(options.svg);
  try {
    await Deno.writeTextFile(path, await svg(drawn, edges, session.pipeline.name));
  } catch (error) {
    throw new RetortError("file/access", `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
  note(`wrote ${path}`);
}

function stateOf(planned: PlannedNode): State {
  if (planned.node.stage.locate !== undefined) return "data";
  return planned.remake === undefined ? planned.status : "again";
}

function edgesOf(nodes: readonly GraphNode[]): Edge[] {
  const position = new Map(nodes.map((node, i) => [node, i]));
  return nodes.flatMap((node) =>
    eachInput(node.inputs).map(([input, source]) => ({
      from: position.get(source.node)!,
      to: position.get(node)!,
      label: source.output === input ? input : `${source.output} → ${input}`,
    }))
  );
}

/** Mermaid flow chart text. */
function mermaid(nodes: readonly Drawn[], edges: readonly Edge[]): string {
  // Mermaid reads labels as Markdown and HTML: everything but plain characters goes in as an entity.
  const escape = (text: string) => text.replaceAll(/[^\w .,:=@+-]/gu, (char) => `#${char.codePointAt(0)};`);
  const lines = ["flowchart TD"];
  nodes.forEach(({ name, state, words }, i) => {
    lines.push(`  n${i}["${escape(name)}<br/><small>${escape(words)}</small>"]:::${state}`);
  });
  for (const edge of edges) lines.push(`  n${edge.from} -- "${escape(edge.label)}" --> n${edge.to}`);
  for (const [state, colour] of Object.entries(COLOURS)) {
    lines.push(`  classDef ${state} fill:${colour},stroke:#555,color:#111`);
  }
  return lines.join("\n");
}

/** An SVG drawing by Graphviz. */
async function svg(drawn: readonly Drawn[], edges: readonly Edge[], title: string): Promise<string> {
  const { drawGraph } = await import("../../foundation/drawn_graph.ts");
  const nodes = drawn.map(({ name, state, words, tooltip }) => ({
    label: `${name}\n${words}`,
    classes: `state-${state}`,
    fill: COLOURS[state],
    tooltip: tooltip || state,
  }));
  return await drawGraph(title, nodes, edges);
}

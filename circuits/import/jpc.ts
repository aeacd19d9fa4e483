import { CircuitBuilder } from "../builder.ts";
import type { Circuit, NodeId } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { linesOf, normalised, WordReader } from "./lines.ts";

interface JpcNode {
  readonly reader: WordReader;
  readonly children: readonly number[];
  readonly logs: readonly number[];
  /** Variable from 0 for leaves; -1 for inner nodes. */
  readonly variable: number;
  readonly kind: string;
}

/**
 * A circuit from the text of a `.jpc` file, the format of ProbabilisticCircuits.jl (Juice). Variable `v` of
 * the file (they count from 1) is variable `v - 1`; it has as many states as any leaf over it needs. The last
 * node is the root.
 *
 * - `L id vtree literal`: an indicator of 1 (or of 0, for a negative literal);
 * - `I id vtree variable value`: an indicator;
 * - `C id vtree variable {log-probability}`: a categorical leaf;
 * - `G id vtree variable mean stddev`: a Gaussian leaf;
 * - `P id vtree count {child}` and `S id vtree count {child log-weight}`.
 *
 * @throws {CircuitError} naming the line, or the node when the result is no valid circuit
 */
export function parseJpc(text: string): Circuit {
  const [header, ...lines] = linesOf(text);
  if (header?.words[0] !== "jpc") {
    throw new CircuitError("This is no .jpc file: the line `jpc <count>` is missing.");
  }
  const count = Number(header.words[1]);
  if (count !== lines.length) {
    throw new CircuitError(`.jpc: ${count} nodes are announced, but ${lines.length} follow.`);
  }
  const nodes = new Map<number, JpcNode>();
  let root = -1;
  for (const line of lines) {
    const reader = new WordReader(".jpc", line);
    root = reader.integer("the id");
    if (nodes.has(root)) reader.fail(`node ${root} is defined twice`);
    reader.integer("the vtree");
    const node = parseNode(reader);
    for (const child of node.children) {
      if (!nodes.has(child)) reader.fail(`node ${child} is not defined before it is used`);
    }
    if (reader.left > 0) reader.fail(`${reader.left} words too many`);
    nodes.set(root, node);
  }
  if (root < 0) throw new CircuitError(".jpc: the file has no nodes.");
  return build(nodes, root);
}

function parseNode(reader: WordReader): JpcNode {
  const { kind } = reader;
  const variable = (): number => {
    const v = reader.integer("the variable");
    return v >= 1 ? v - 1 : reader.fail(`variable ${v}: they count from 1`);
  };
  const leaf = (v: number, logs: number[], as = kind): JpcNode => ({
    reader,
    children: [],
    logs,
    variable: v,
    kind: as,
  });
  switch (kind) {
    case "L": {
      const literal = reader.integer("the literal");
      if (literal === 0) reader.fail("literal 0: variables count from 1");
      return leaf(Math.abs(literal) - 1, [literal > 0 ? 1 : 0], "I");
    }
    case "I":
      return leaf(variable(), [reader.integer("the value")]);
    case "C": {
      const v = variable();
      const logs: number[] = [];
      while (reader.left > 0) logs.push(reader.number("a log-probability"));
      return leaf(v, normalised(logs, reader));
    }
    case "G":
      return leaf(variable(), [reader.number("the mean"), reader.number("the standard deviation")]);
    case "P":
    case "S": {
      const size = reader.integer("the number of children");
      const children: number[] = [], logs: number[] = [];
      for (let i = 0; i < size; i++) {
        children.push(reader.integer("a child"));
        if (kind === "S") logs.push(reader.number("a log-weight"));
      }
      return { reader, children, logs: kind === "S" ? normalised(logs, reader) : [], variable: -1, kind };
    }
    default:
      return reader.fail(`unknown kind \`${kind}\`, expected L, I, C, G, P or S`);
  }
}

function build(nodes: ReadonlyMap<number, JpcNode>, root: number): Circuit {
  const states: number[] = [];
  const real = new Set<number>();
  for (const { variable, kind, logs } of nodes.values()) {
    if (variable < 0) continue;
    if (kind === "G") real.add(variable);
    const needed = kind === "C" ? logs.length : kind === "I" ? Math.max(2, (logs[0] as number) + 1) : 1;
    states[variable] = Math.max(states[variable] ?? 1, needed);
  }
  const b = new CircuitBuilder();
  for (let v = 0; v < states.length; v++) {
    if (real.has(v)) b.real(`x${v + 1}`);
    else b.categorical(`x${v + 1}`, states[v] ?? 1);
  }
  const needed = new Set([root]);
  for (const [id, node] of [...nodes].reverse()) {
    if (needed.has(id)) { for (const child of node.children) needed.add(child); }
  }
  const made = new Map<number, NodeId>();
  for (const [id, { kind, variable, logs, children, reader }] of nodes) {
    if (!needed.has(id)) continue;
    const inputs = children.map((child) => made.get(child) as NodeId);
    if (kind === "P") made.set(id, b.product(inputs));
    else if (kind === "S") made.set(id, b.sum(inputs, { units: 1, weights: logs, id: `S${id}` }));
    else if (kind === "I") {
      made.set(id, b.input({ variable, family: "indicator", units: 1, settings: { values: logs } }));
    } else if (kind === "G") {
      made.set(id, b.input({ variable, family: "gaussian", units: 1, parameter: logs, id: `G${id}` }));
    } else {
      // Another leaf over the variable may know more states; these have no mass here.
      const missing = (states[variable] as number) - logs.length;
      if (real.has(variable)) reader.fail(`variable ${variable + 1} has Gaussian leaves too`);
      const parameter = [...logs, ...new Array<number>(missing).fill(0)];
      made.set(id, b.input({ variable, family: "categorical", units: 1, parameter, id: `C${id}` }));
    }
  }
  return b.build(made.get(root) as NodeId);
}

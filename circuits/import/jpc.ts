import { CircuitBuilder } from "../builder.ts";
import type { Circuit } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { FileGraph, type FileNode } from "./file_graph.ts";
import { nodeLines, normalised, type WordReader } from "./lines.ts";

interface JpcNode extends FileNode {
  /** `I`, `C`, `B`, `G`, `P` or `S`: literals are indicators. */
  readonly kind: string;
  /**
   * `I`: the value; `C`: probabilities; `B`: trials and probability; `G`: mean and standard deviation; `S`:
   * weights.
   */
  readonly values: readonly number[];
}

/** Maximum number of states of a variable: a large indicator value alone does not justify a huge table. */
const MOST_STATES = 1 << 16;
/** Maximum total size of the tables of all categorical leaves, after padding those with fewer states. */
const MOST_ENTRIES = 1 << 26;

/**
 * A circuit from the text of a `.jpc` file, the format of ProbabilisticCircuits.jl (Juice). The circuit's variables are
 * those that the root depends on, in ascending order; variable `v` of the file is called `xv`. It has as many states as
 * any leaf over it needs. The last node is the root.
 *
 * - `L id vtree literal`: an indicator of 1 (or of 0, for a negative literal);
 * - `I id vtree variable value`: an indicator;
 * - `C id vtree variable {log-probability}`: a categorical leaf;
 * - `B id vtree variable N p`: a binomial leaf over 0 to N;
 * - `G id vtree variable mean stddev`: a Gaussian leaf;
 * - `P id vtree count {child}` and `S id vtree count {child log-weight}`.
 *
 * @throws {CircuitError} naming the line, or the node when the result is no valid circuit
 */
export function parseJpc(text: string): Circuit {
  const graph = new FileGraph<JpcNode>();
  for (const reader of nodeLines(text, "jpc", true)) {
    const id = reader.integer("the id");
    reader.integer("the vtree");
    graph.add(id, parseNode(reader));
    if (reader.left > 0) reader.fail(`${reader.left} words too many`);
  }
  return build(graph);
}

function parseNode(reader: WordReader): JpcNode {
  const { kind } = reader;
  const variable = (): number => {
    const v = reader.integer("the variable");
    return v >= 1 ? v : reader.fail(`variable ${v}: they count from 1`);
  };
  const leaf = (v: number, values: readonly number[], as = kind): JpcNode => {
    const states = as === "I" || as === "B" ? (values[0] as number) + 1 : values.length;
    if (!(states >= 1 && states <= MOST_STATES)) {
      reader.fail(`variable ${v} would have ${states} states, expected 1 to ${MOST_STATES}`);
    }
    return { reader, children: [], values, variable: v, kind: as };
  };
  switch (kind) {
    case "L": {
      const literal = reader.integer("the literal");
      if (literal === 0) reader.fail("literal 0: variables count from 1");
      return leaf(Math.abs(literal), [literal > 0 ? 1 : 0], "I");
    }
    case "I":
      return leaf(variable(), [reader.integer("the value")]);
    case "C": {
      const v = variable();
      const logs: number[] = [];
      while (reader.left > 0) logs.push(reader.number("a log-probability"));
      return leaf(v, normalised(logs, reader));
    }
    case "B": {
      const v = variable();
      const trials = reader.integer("the number of trials"), p = reader.number("the probability");
      if (!(trials >= 0 && trials < MOST_STATES)) {
        reader.fail(`a binomial leaf has ${trials} trials, expected 0 to ${MOST_STATES - 1}`);
      }
      if (!(p >= 0 && p <= 1)) reader.fail(`the probability of a binomial leaf is ${p}`);
      return leaf(v, [trials, p]);
    }
    case "G": {
      const v = variable();
      const mean = reader.number("the mean"), deviation = reader.number("the standard deviation");
      if (!Number.isFinite(mean)) reader.fail(`the mean is ${mean}`);
      if (!(deviation > 0)) reader.fail(`the standard deviation is ${deviation}, expected more than 0`);
      return leaf(v, [mean, deviation]);
    }
    case "P":
    case "S": {
      const children: number[] = [], logs: number[] = [];
      const words = kind === "S" ? 2 : 1;
      for (let left = reader.count("the number of children", words); left > 0; left--) {
        children.push(reader.integer("a child"));
        if (kind === "S") logs.push(reader.number("a log-weight"));
      }
      return { reader, children, values: kind === "S" ? normalised(logs, reader) : [], variable: 0, kind };
    }
    default:
      return reader.fail(`unknown kind \`${kind}\`, expected L, I, C, B, G, P or S`);
  }
}

function build(graph: FileGraph<JpcNode>): Circuit {
  const states = new Map<number, number>();
  const real = new Set<number>();
  const needed = graph.needed();
  for (const [, { variable, kind, values }] of needed) {
    if (variable === 0) continue;
    if (kind === "G") real.add(variable);
    const [first = 0] = values;
    const least = kind === "C"
      ? values.length
      : kind === "I"
      ? Math.max(2, first + 1)
      : kind === "B"
      ? first + 1
      : 1;
    states.set(variable, Math.max(states.get(variable) ?? 1, least));
  }
  const entries = needed.reduce((n, [, node]) => node.kind === "C" ? n + states.get(node.variable)! : n, 0);
  if (entries > MOST_ENTRIES) {
    throw new CircuitError(
      "model-file/too-large",
      `.jpc: its categorical leaves have tables of ${entries} numbers together`,
      { hint: `This reader takes up to ${MOST_ENTRIES}: a variable of fewer states makes them smaller.` },
    );
  }
  const b = new CircuitBuilder();
  const columns = new Map(
    graph.variables().map((v) => [
      v,
      real.has(v) ? b.real(`x${v}`) : b.categorical(`x${v}`, states.get(v) as number),
    ]),
  );
  return b.build(graph.build(({ kind, variable: v, values, reader }, id, children) => {
    if (kind === "P") return b.product(children);
    if (kind === "S") return b.sum(children, { units: 1, weights: values, id: `S${id}` });
    const variable = columns.get(v) as number;
    if (kind !== "G" && real.has(v)) reader.fail(`variable ${v} has Gaussian leaves too`);
    if (kind === "I") return b.input({ variable, family: "indicator", units: 1, settings: { values } });
    if (kind === "G") {
      return b.input({ variable, family: "gaussian", units: 1, parameter: values, id: `G${id}` });
    }
    if (kind === "B") {
      const [trials = 0, p = 0] = values;
      return b.input({
        variable,
        family: "binomial",
        units: 1,
        settings: { trials },
        parameter: [p],
        id: `B${id}`,
      });
    }
    // Other leaves over the variable may have more states; those have no mass here.
    const parameter = [...values, ...new Array<number>((states.get(v) as number) - values.length).fill(0)];
    return b.input({ variable, family: "categorical", units: 1, parameter, id: `C${id}` });
  }));
}

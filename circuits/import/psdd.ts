import { CircuitBuilder } from "../builder.ts";
import type { Circuit } from "../circuit.ts";
import { FileGraph, type FileNode } from "./file_graph.ts";
import { nodeLines, normalised, type WordReader } from "./lines.ts";

interface PsddNode extends FileNode {
  /** `L`, `T` or `D`. */
  readonly kind: string;
  /** `L`: the state; `T`: P(1); `D`: the weights. */
  readonly values: readonly number[];
}

/**
 * A circuit from the text of a `.psdd` file (Kisa, Van den Broeck, Choi and Darwiche, "Probabilistic Sentential Decision
 * Diagrams", KR 2014). All variables have two states. The circuit's variables are those that the root depends on, in
 * ascending order; variable `v` of the file is called `xv`, so a file over all of 1 to n gives columns in that order. The
 * last node is the root; the vtree is not needed.
 *
 * - `L id vtree literal`: an indicator;
 * - `T id vtree variable [log P(0)] log P(1)`: a Bernoulli leaf;
 * - `D id vtree count {prime sub log-weight}`: a sum over products.
 *
 * Weights are renormalised, since files contain rounded numbers. @throws {CircuitError} naming the line
 */
export function parsePsdd(text: string): Circuit {
  const graph = new FileGraph<PsddNode>();
  for (const reader of nodeLines(text, "psdd", false)) {
    const id = reader.integer("the id");
    reader.integer("the vtree");
    graph.add(id, parseNode(reader));
    if (reader.left > 0) reader.fail(`${reader.left} words too many`);
  }
  const b = new CircuitBuilder();
  const columns = new Map(graph.variables().map((v) => [v, b.categorical(`x${v}`, 2)]));
  const root = graph.build(({ kind, values, variable }, id, children) => {
    const column = columns.get(variable) as number;
    if (kind === "L") {
      return b.input({ variable: column, family: "indicator", units: 1, settings: { values } });
    }
    if (kind === "T") {
      return b.input({ variable: column, family: "bernoulli", units: 1, parameter: values, id: `T${id}` });
    }
    const products = values.map((_, i) => b.product(children.slice(2 * i, 2 * i + 2)));
    return products.length === 1
      ? products[0] as number
      : b.sum(products, { units: 1, weights: values, id: `D${id}` });
  });
  return b.build(root);
}

function parseNode(reader: WordReader): PsddNode {
  const { kind } = reader;
  switch (kind) {
    case "L": {
      const literal = reader.integer("the literal");
      if (literal === 0) reader.fail("literal 0: variables count from 1");
      return { reader, kind, children: [], variable: Math.abs(literal), values: [literal > 0 ? 1 : 0] };
    }
    case "T": {
      const variable = reader.integer("the variable");
      if (variable < 1) reader.fail(`variable ${variable}: they count from 1`);
      const first = reader.number("a logarithm of a probability");
      if (!(first <= 0)) reader.fail(`the probability of variable ${variable} is ${Math.exp(first)}`);
      const values = reader.left > 0
        ? normalised([first, reader.number("log P(1)")], reader)
        : [-Math.expm1(first), Math.exp(first)];
      return { reader, kind, children: [], variable, values };
    }
    case "D": {
      const children: number[] = [], logs: number[] = [];
      for (let left = reader.count("the number of elements", 3); left > 0; left--) {
        children.push(reader.integer("a prime"), reader.integer("a sub"));
        logs.push(reader.number("a log-weight"));
      }
      return { reader, kind, children, variable: 0, values: normalised(logs, reader) };
    }
    default:
      return reader.fail(`unknown kind \`${kind}\`, expected L, T or D`);
  }
}

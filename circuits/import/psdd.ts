import { CircuitBuilder } from "../builder.ts";
import type { Circuit, NodeId } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { linesOf, normalised, WordReader } from "./lines.ts";

/**
 * A circuit from the text of a `.psdd` file (Kisa, Van den Broeck, Choi and Darwiche, "Probabilistic
 * Sentential Decision Diagrams", KR 2014). All variables have two states; variable `v` of the file (they
 * count from 1) is variable `v - 1`. The last node is the root, the vtree is not needed.
 *
 * - `L id vtree literal`: an indicator;
 * - `T id vtree variable [log P(0)] log P(1)`: a Bernoulli leaf;
 * - `D id vtree count {prime sub log-weight}`: a sum over products.
 *
 * Weights are normalised again, for files round them. @throws {CircuitError} naming the line
 */
export function parsePsdd(text: string): Circuit {
  const [header, ...lines] = linesOf(text);
  if (header?.words[0] !== "psdd") {
    throw new CircuitError("This is no .psdd file: the line `psdd <count>` is missing.");
  }
  const readers = lines.map((line) => new WordReader(".psdd", line));
  const elements = new Map<number, () => NodeId>();
  const made = new Map<number, NodeId>();
  const b = new CircuitBuilder();
  let variables = 0, last = -1;
  const variableAt = (v: number, reader: WordReader): number => {
    if (v < 1) reader.fail(`variable ${v}: they count from 1`);
    while (variables < v) b.categorical(`x${++variables}`, 2);
    return v - 1;
  };
  const node = (id: number, reader: WordReader): NodeId => {
    const known = made.get(id);
    if (known !== undefined) return known;
    const make = elements.get(id) ?? reader.fail(`node ${id} is not defined before it is used`);
    const result = make();
    made.set(id, result);
    return result;
  };
  for (const reader of readers) {
    const id = reader.integer("the id");
    if (elements.has(id)) reader.fail(`node ${id} is defined twice`);
    reader.integer("the vtree");
    let make: () => NodeId;
    if (reader.kind === "L") {
      const literal = reader.integer("the literal");
      const variable = variableAt(Math.abs(literal), reader);
      const settings = { values: [literal > 0 ? 1 : 0] };
      make = () => b.input({ variable, family: "indicator", units: 1, settings });
    } else if (reader.kind === "T") {
      const variable = variableAt(reader.integer("the variable"), reader);
      const logs = [reader.number("log P(1)")];
      if (reader.left > 0) logs.push(reader.number("log P(1)"));
      const one = logs.length === 1 ? Math.exp(logs[0] as number) : normalised(logs, reader)[1] as number;
      if (!(one >= 0 && one <= 1)) reader.fail(`the probability of variable ${variable + 1} is ${one}`);
      make = () => b.input({ variable, family: "bernoulli", units: 1, parameter: [one], id: `T${id}` });
    } else if (reader.kind === "D") {
      const count = reader.integer("the number of elements");
      const parts = Array.from({ length: count }, () => ({
        prime: reader.integer("a prime"),
        sub: reader.integer("a sub"),
        log: reader.number("a log-weight"),
      }));
      for (const { prime, sub } of parts) {
        for (const child of [prime, sub]) {
          if (!elements.has(child)) reader.fail(`node ${child} is not defined before it is used`);
        }
      }
      const weights = normalised(parts.map(({ log }) => log), reader);
      make = () => {
        const products = parts.map(({ prime, sub }) => b.product([node(prime, reader), node(sub, reader)]));
        return products.length === 1
          ? products[0] as NodeId
          : b.sum(products, { units: 1, weights, id: `D${id}` });
      };
    } else return reader.fail(`unknown kind \`${reader.kind}\`, expected L, T or D`);
    if (reader.left > 0) reader.fail(`${reader.left} words too many`);
    elements.set(id, make);
    last = id;
  }
  if (last < 0) throw new CircuitError(".psdd: the file has no nodes.");
  return b.build(node(last, readers[readers.length - 1] as WordReader));
}

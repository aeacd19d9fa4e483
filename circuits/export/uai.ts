import { checkFactors, type FactorGraph } from "../import/factors.ts";
import { requireObject } from "../guards.ts";

/**
 * A graphical model as the text of a `.uai` file, which `parseUai` and other programs read. Numbers are written in full
 * precision: reading gives the same model.
 * @param kind the type declared in the file: `BAYES` only if each factor is the conditional table of one variable
 * @throws {CircuitError} when the tables make no sense
 */
export function formatUai(graph: FactorGraph, kind: "BAYES" | "MARKOV" = "MARKOV"): string {
  requireObject("the factors", graph, ["states", "factors"]);
  checkFactors(graph);
  const { states, factors } = graph;
  return [
    kind,
    states.length,
    states.join(" "),
    factors.length,
    ...factors.map(({ scope }) => [scope.length, ...scope].join(" ")),
    ...factors.flatMap(({ values }) => [values.length, values.join(" ")]),
    "",
  ].join("\n");
}

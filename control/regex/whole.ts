import { type Automaton, explore } from "../automata/automaton.ts";
import { Allowance } from "../automata/allowance.ts";
import { byteClassesOf, NodeSets } from "./node_sets.ts";
import { type RegexElement, RegexNodes } from "./nodes.ts";

/**
 * Accepts what an expression without look-around is found in from the beginning to the end.
 *
 * @param allowance what counts the steps; of this automaton alone, if omitted
 * @throws {RetortError} when it has too many parts or states, or takes too long
 */
export function spanning(element: RegexElement, allowance: Allowance = new Allowance()): Automaton {
  const regex = new RegexNodes([{ elements: [element] }]);
  const classes = byteClassesOf(regex);
  const sets = new NodeSets(regex.nodes, classes, allowance);
  const { start, end } = regex.whole;
  return explore(classes, sets.with(0, start), {
    key: (set) => set,
    step: (set, c) => sets.move(set, 0, c),
    accepts: (set) => sets.reaches(set, 0, end),
  }, allowance);
}

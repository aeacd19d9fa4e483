/**
 * How costs grow: exponents of processor time against states, sequences, variables, nodes of a pipeline and objects of a store,
 * each fitted over a factor of 16 in one run, beside the bound that the algorithm has. Exit code 1 where one is above its bound by
 * more than 0.15. Processor time of all threads, which other programs on the machine lengthen least.
 *
 *     deno task bench:growth
 *     deno task bench:growth --part states --rounds 5    part: states, sequences, lengths, variables, pairs, nodes; --json
 */
import { LENGTHS, PAIRS, SEQUENCES, STATES, VARIABLES } from "./growth/engines.ts";
import { measureGrowth } from "./growth/growing.ts";
import { nodes } from "./growth/runner.ts";
import { benchOptions, type Figure, measureParts, meets, printFigures } from "./measure.ts";

const options = benchOptions({
  part: { type: "string", multiple: true },
  rounds: { type: "string", default: "3" },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds is "${options.rounds}"; it is a whole number from 1 on`);
  Deno.exit(2);
}

const PARTS: Readonly<Record<string, (folder: string) => Promise<Figure[]>>> = {
  states: () => measureGrowth(STATES, rounds),
  sequences: () => measureGrowth(SEQUENCES, rounds),
  lengths: () => measureGrowth(LENGTHS, rounds),
  variables: () => measureGrowth(VARIABLES, rounds),
  pairs: () => measureGrowth(PAIRS, rounds),
  nodes: (folder) => measureGrowth(nodes(folder), rounds),
};
const unknown = options.part?.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined) {
  console.error(`there is no part ${unknown}; the parts are ${Object.keys(PARTS).join(", ")}`);
  Deno.exit(2);
}

const figures = await measureParts(PARTS, options.part);
printFigures(figures, {
  ...options,
  about: ["exponents of processor time; the target is the bound and 0.15"],
});
// A worker that still winds down would hold the process.
Deno.exit(figures.every((one) => meets(one) === true) ? Deno.exitCode : 1);

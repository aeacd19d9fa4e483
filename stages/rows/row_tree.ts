import { z } from "zod";
import { CircuitBuilder } from "../../circuits/builder.ts";
import type { Circuit, Variable } from "../../circuits/circuit.ts";
import { type Samples, takeSamples } from "../../circuits/samples.ts";
import { hcltFromSamples } from "../../circuits/structures/hclt.ts";
import { addLeaf, type LeafChoice } from "../../circuits/structures/leaf.ts";
import { startFromData } from "../../circuits/structures/start.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { chooseSome } from "../choose_some.ts";
import { circuit } from "../codecs/circuit.ts";
import { samples } from "../codecs/samples.ts";
import { rowColumns, rowVariables } from "./codecs.ts";

/** Maximum number of rows that a tree's edges are learned from: every pair of columns is counted on each. */
export const TREE_ROWS = 10_000;

/**
 * A model of rows before EM, its leaves started from the training rows.
 * - `independent`: columns that say nothing of one another; numbers as mixtures of `latents` bells (dates and reals) or
 *   Poisson distributions (counts);
 * - `chow-liu`: the tree of columns that share most information, each depending on its parent alone (Chow and Liu 1968);
 *   numbers have `latents` hidden classes in the place of states;
 * - `hidden`: the same tree of hidden variables with `latents` states, on which the columns depend: see `hclt`.
 */
export const rowTree: Stage<
  z.ZodObject<{
    kind: z.ZodEnum<{
      hidden: "hidden";
      independent: "independent";
      "chow-liu": "chow-liu";
    }>;
    latents: z.ZodInt;
    minSpread: z.ZodDefault<z.ZodNumber>;
  }, z.core.$strip>,
  { columns: typeof rowColumns; train: typeof samples },
  { circuit: typeof circuit }
> = defineStage({
  name: "rows.tree",
  params: z.object({
    kind: z.enum(["independent", "chow-liu", "hidden"]),
    /** Number of states of every hidden variable. */
    latents: z.int().min(1),
    /**
     * Least standard deviation of a bell, as a share of its column's: narrower ones would code the very numbers that occur
     * often, which says nothing of a density.
     */
    minSpread: z.number().positive().default(0.02),
  }),
  inputs: { columns: rowColumns, train: samples },
  outputs: { circuit },
  seeded: true,
  async run({ inputs, params, context }) {
    const { kind, latents, minSpread } = params, { seed } = context;
    const variables = rowVariables(inputs.columns.columns);
    const all = await inputs.train.all();
    const data = takeSamples(all, chooseSome(all.count, TREE_ROWS, seed));
    const leaf = (variable: Variable): LeafChoice => {
      if (variable.kind === "real") return { family: "gaussian", settings: { minSpread } };
      if (variable.kind === "count") return { family: "poisson" };
      const { states } = variable as Variable & { kind: "categorical" };
      return kind === "chow-liu"
        ? { family: "indicator", settings: { values: Array.from({ length: states }, (_, k) => k) } }
        : { family: "categorical" };
    };
    if (kind === "independent") return { circuit: independent(variables, data, { latents, leaf, seed }) };
    const own = kind === "hidden"
      ? latents
      : variables.map((variable) => variable.kind === "categorical" ? variable.states : latents);
    return { circuit: hcltFromSamples({ variables, samples: data }, { latents: own, leaf, seed }) };
  },
});

/** A product of one mixture a column. */
function independent(
  variables: readonly Variable[],
  data: Samples,
  options: { latents: number; leaf: (variable: Variable) => LeafChoice; seed: number },
): Circuit {
  const b = new CircuitBuilder({ seed: options.seed });
  for (const variable of variables) b.variable(variable);
  const columns = variables.map((variable, v) => {
    // A mixture of distributions over states is one of them.
    const units = variable.kind === "categorical" ? 1 : options.latents;
    const leaf = addLeaf(b, variable, v, units, options);
    return units === 1 ? leaf : b.sum([leaf], { units: 1, id: `z/${v}`, name: `z${v}` });
  });
  return startFromData(b.build(columns.length === 1 ? columns[0]! : b.product(columns)), data, {
    seed: options.seed,
  });
}

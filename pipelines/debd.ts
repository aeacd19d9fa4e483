/**
 * Hidden Chow-Liu trees on binary data sets for density estimation: single trees, and mixtures of trees trained first
 * separately, then jointly. The number of hidden states and the kind of tree are chosen on the validation rows; only the
 * chosen model is scored on the test rows.
 *
 *     deno task run pipelines/debd.ts
 *     deno task run pipelines/debd.ts --set sets=["nltcs"] --set latents=[16] --set seeds=2
 */
import { z } from "zod";
import { definePipeline, type Ref } from "retort";
import { anemone, dataSet, evaluateCircuit, type score, trainEm } from "retort/stages";
import {
  type choice,
  chooseCircuit,
  densityResults,
  hiddenTree,
  loadRows,
  mixCircuits,
} from "retort/stages/density";

/** Published mean test log-likelihoods of hidden Chow-Liu trees over five seeds, from a GPU library. */
const PUBLISHED = { nltcs: -5.999, plants: -14.26, jester: -52.46, accidents: -26.74, dna: -79.06 };

type SetName = keyof typeof PUBLISHED;

export default definePipeline({
  name: "debd",
  question: "Do mixtures of hidden Chow-Liu trees fit binary data better than single trees?",
  headline: ({ params }) => ({
    metric: "mean test log-likelihood",
    unit: "nats",
    direction: "higher",
    decimals: 3,
    subject: params.seeds === 1 ? "tree" : `mixture of ${params.seeds}`,
    baseline: "tree",
    arms: { tree: "single trees" },
    values: [
      {
        output: "table",
        rows: "rows",
        value: "seeds",
        arm: "{model}",
        setting: "{set}",
        converged: "converged",
      },
      {
        output: "table",
        rows: "rows",
        value: "published",
        arm: "published trees",
        setting: "{set}",
        reference: true,
      },
    ],
  }),
  params: z.object({
    /** Names of the data sets. */
    sets: z.array(z.enum(Object.keys(PUBLISHED) as [SetName, ...SetName[]])).min(1).default(
      Object.keys(PUBLISHED) as SetName[],
    ),
    /** Numbers of hidden states to try. */
    latents: z.array(z.int().min(1)).min(1).default([32, 64]),
    /**
     * What trees are learned from: all rows (`samples`), or a bootstrap sample for each tree (`bootstrap`). Single trees
     * use the first kind listed, mixtures the kind chosen on validation.
     */
    trees: z.array(z.enum(["samples", "bootstrap"])).min(1).default(["bootstrap"]),
    /** Number of repetitions with different seeds; also the number of trees in a mixture. */
    seeds: z.int().min(1).default(5),
    /** Maximum number of epochs for a single tree. */
    epochs: z.int().min(0).default(20),
    /** Maximum number of epochs of joint training for the trees of a mixture. */
    together: z.int().min(0).default(8),
    /** Maximum number of rows in a mini-batch. */
    batchSize: z.int().min(1).default(128),
    /** Pseudocount: virtual samples added to every row of a sum and every unit of a leaf. */
    pseudocount: z.number().min(0).default(0.03),
  }),
  build({ params }) {
    const rows: { set: string; model: string; seeds: number; published: number | null }[] = [];
    const choices: Ref<typeof choice>[] = [], scores: Ref<typeof score>[] = [];
    for (const set of params.sets) {
      const data = loadRows({ files: dataSet({}, { name: `debd-${set}` }).files }, { name: set });
      const { train, valid, test } = data;
      const em = (epochs: number, from: number, to: number) => ({
        epochs,
        batchSize: params.batchSize,
        batchesPerUpdate: 1,
        step: anemone(from, to),
        pseudocount: { sums: params.pseudocount, leaves: params.pseudocount },
        patience: 4,
      });
      const tree = (latents: number, from: "samples" | "bootstrap", seed: number) => {
        const at = `${set} ${latents} latents, tree of ${from}, seed ${seed}`;
        const { circuit } = hiddenTree(
          { train },
          { latents, bootstrap: from === "bootstrap" },
          { name: `structure ${at}` },
        );
        return trainEm({ circuit, train, valid }, em(params.epochs, 0.5, 0.02), { name: `train ${at}` });
      };
      const mixed = (latents: number, from: "samples" | "bootstrap") => {
        const at = `${set} ${latents} latents, trees of ${from}`;
        const circuits = seeds.map((seed) => tree(latents, from, seed).circuit);
        const { circuit } = mixCircuits({ circuits }, {}, { name: `mix ${at}` });
        return trainEm({ circuit, train, valid }, em(params.together, 0.1, 0.02), { name: `together ${at}` });
      };
      const seeds = Array.from({ length: params.seeds }, (_, i) => i + 1);
      /** Adds the best candidate to the current table row. */
      const add = (candidates: Record<string, ReturnType<typeof trainEm>>, name: string) => {
        const trained = Object.values(candidates);
        const { circuit, choice } = chooseCircuit(
          { circuits: trained.map((one) => one.circuit), logs: trained.map((one) => one.log) },
          { labels: Object.keys(candidates) },
          { name: `choose ${set} ${name}` },
        );
        choices.push(choice);
        scores.push(evaluateCircuit({ circuit, data: test }, {}, { name: `test ${set} ${name}` }).score);
      };

      const [first] = params.trees;
      rows.push({ set, model: "tree", seeds: params.seeds, published: PUBLISHED[set] });
      for (const seed of seeds) {
        add(
          Object.fromEntries(
            params.latents.map((latents) => [`${latents}`, tree(latents, first!, seed)] as const),
          ),
          `tree, seed ${seed}`,
        );
      }
      if (params.seeds === 1) continue;
      rows.push({ set, model: `mixture of ${params.seeds}`, seeds: 1, published: PUBLISHED[set] });
      add(
        Object.fromEntries(
          params.latents.flatMap((latents) =>
            params.trees.map((from) => [`${latents}, trees of ${from}`, mixed(latents, from)] as const)
          ),
        ),
        "mixture",
      );
    }
    return { table: densityResults({ choices, scores }, { rows }).table };
  },
});

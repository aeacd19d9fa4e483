import { CallError } from "../../foundation/errors.ts";
import type { NodeOptions, ReadArtifact, Ref } from "../../runner/stage.ts";
import type { circuit } from "../codecs/circuit.ts";
import { fitInShards, type TrainedInShards } from "../train_shards.ts";
import { anemone, fallingAnemone } from "../training_params.ts";
import type { EmParams } from "./arm_params.ts";
import type { SmoothingLevels } from "./blocks.ts";
import type { tokens, windows } from "./codecs.ts";
import { trainText } from "./train_text.ts";

/** What an arm learns from, and what ends its training. */
export interface ArmText {
  /** Tokens of both. */
  readonly tokens: { readonly train: Ref<typeof tokens>; readonly valid: Ref<typeof tokens> };
  /** Windows over both. */
  readonly windows: { readonly train: Ref<typeof windows>; readonly valid: Ref<typeof windows> };
  /** Number of tokens in a window. */
  readonly length: number;
}

/** How EM trains an arm. */
export interface ArmTraining extends EmParams {
  /** How blocked models are smoothed, in the place of virtual samples. */
  readonly levels?: SmoothingLevels;
  /** What the build of the pipeline is given to read artifacts with: `shards` need it. */
  readonly read?: ReadArtifact;
}

/**
 * Trains a circuit over the windows of a text until the validation text ends it: in one node or, with `shards`, in many.
 *
 * @param node name, arm and setting of the node that has the result.
 * @throws CallError for parameters that do not go together
 */
export async function trainArm(
  { tokens: { train, valid }, windows, length }: ArmText,
  start: Ref<typeof circuit>,
  em: ArmTraining,
  { seed, ...node }: Pick<NodeOptions, "name" | "arm" | "setting"> & { readonly seed: number },
): Promise<TrainedInShards> {
  const { batchSize, batchesPerUpdate, shards, shardsPerUpdate, parts, read, steps: [from, to] } = em;
  const miniBatches = em.shrink === "linear" ? anemone(from, to) : fallingAnemone(from, to);
  const shared = {
    epochs: em.epochs,
    patience: em.patience,
    tolerance: em.tolerance * length,
    ...(em.levels === undefined
      ? { pseudocount: { sums: 0.1, leaves: em.pseudocount }, leafBase: "marginal" as const }
      : { levels: em.levels }),
  };
  checkSharding(em);
  if (shards === undefined) {
    const data = { train, trainWindows: windows.train, valid, validWindows: windows.valid };
    const step = batchesPerUpdate === "epoch" ? { kind: "em" } as const : miniBatches;
    const { stateDropout } = em;
    const params = { ...shared, stateDropout, batchSize, batchesPerUpdate, step };
    return trainText({ circuit: start, ...data }, params, node);
  }
  const whole = shardsPerUpdate === undefined || shardsPerUpdate === shards;
  return await fitInShards(start, { text: train, windows: windows.train }, {
    ...shared,
    shards,
    ...(whole ? {} : { shardsPerUpdate, step: miniBatches }),
    ...(parts !== undefined && { parts }),
    valid: { text: valid, windows: windows.valid },
    read: read!,
    seed,
    node,
  });
}

/** @throws CallError for parameters that do not go together */
function checkSharding(training: ArmTraining): void {
  const { shards, shardsPerUpdate, parts, batchesPerUpdate, read, stateDropout } = training;
  const refuse = (what: string, hint: string): never => {
    throw new CallError("pipeline/parameters", what, { hint });
  };
  if (shards === undefined) {
    for (const [name, value] of Object.entries({ shardsPerUpdate, parts })) {
      if (value === undefined) continue;
      refuse(`\`${name}\` is ${value} without \`shards\``, "Say in how many `shards` an epoch is counted.");
    }
    return;
  }
  if (read === undefined) {
    refuse("arms in `shards` need `read` of the build", "Hand it on: `{ ...params, read }`.");
  }
  if (stateDropout > 0) {
    refuse(
      `\`stateDropout\` is ${stateDropout}, which training in \`shards\` has not`,
      "Leave one of them out.",
    );
  }
  if (typeof batchesPerUpdate === "number") {
    refuse(
      `\`batchesPerUpdate\` is ${batchesPerUpdate}, but with \`shards\` an update sums up shards`,
      "Set `shardsPerUpdate` instead.",
    );
  }
  if (batchesPerUpdate === "epoch" && shardsPerUpdate !== undefined && shardsPerUpdate !== shards) {
    refuse(
      `\`batchesPerUpdate\` is epoch, but \`shardsPerUpdate\` is ${shardsPerUpdate} of ${shards}`,
      "Leave one of them out.",
    );
  }
}

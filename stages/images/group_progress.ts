import type { ParameterArray } from "../../circuits/circuit.ts";
import { decodeSafetensors, encodeSafetensors } from "../../circuits/safetensors.ts";
import { defineCodec } from "../../runner/codec.ts";

/** What of many circuits is trained, for checkpoints. */
export interface GroupProgress {
  /** Parameters of finished circuits, by `position/cluster/id`. */
  readonly parameters: ReadonlyMap<string, ParameterArray>;
  /** Of every finished circuit, in order: its samples and the mean log-likelihood of each epoch. */
  readonly scores: readonly { readonly samples: number; readonly logLikelihoods: readonly number[] }[];
}

/** Circuits that are trained, for checkpoints: `circuits.safetensors` and `scores.json`. */
export const groupProgress = defineCodec<GroupProgress, GroupProgress, "group-progress">({
  name: "group-progress",
  version: 1,
  async write({ parameters, scores }, out) {
    const tensors = new Map([...parameters].map(([id, values]) => [id, { shape: [values.length], values }]));
    await out.bytes("circuits.safetensors", encodeSafetensors(tensors));
    await out.json(
      "scores.json",
      scores.map(({ samples, logLikelihoods }) => ({
        samples,
        // JSON has no infinities.
        logLikelihoods: logLikelihoods.map((x) => Number.isFinite(x) ? x : null),
      })),
    );
    return { circuits: scores.length };
  },
  async read(artifact) {
    const { tensors } = decodeSafetensors(await artifact.bytes("circuits.safetensors"), "the checkpoint");
    const scores = await artifact.json("scores.json") as {
      samples: number;
      logLikelihoods: (number | null)[];
    }[];
    return {
      parameters: new Map([...tensors].map(([id, { values }]) => [id, values as ParameterArray])),
      scores: scores.map(({ samples, logLikelihoods }) => ({
        samples,
        logLikelihoods: logLikelihoods.map((x) => x ?? -Infinity),
      })),
    };
  },
});

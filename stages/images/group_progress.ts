import type { ParameterArray } from "../../circuits/circuit.ts";
import { decodeSafetensors, encodeSafetensors } from "../../circuits/safetensors.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

/** Progress of training many circuits, for checkpoints. */
export interface GroupProgress {
  /** Parameters of finished circuits, keyed `position/cluster/id`. */
  readonly parameters: ReadonlyMap<string, ParameterArray>;
  /** For every finished circuit, in order: number of samples and mean log-likelihood by epoch. */
  readonly scores: readonly { readonly samples: number; readonly logLikelihoods: readonly number[] }[];
}

/** Progress of training many circuits, for checkpoints: `circuits.safetensors` and `scores.json`. */
export const groupProgress: Codec<GroupProgress, GroupProgress, "group-progress"> = defineCodec<
  GroupProgress,
  GroupProgress,
  "group-progress"
>({
  name: "group-progress",
  version: 1,
  async write({ parameters, scores }, out) {
    const tensors = new Map([...parameters].map(([id, values]) => [id, { shape: [values.length], values }]));
    await out.bytes("circuits.safetensors", encodeSafetensors(tensors));
    await out.json(
      "scores.json",
      scores.map(({ samples, logLikelihoods }) => ({
        samples,
        // JSON cannot represent infinities.
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

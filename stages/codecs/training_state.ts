import {
  decodeTrainingState,
  encodeTrainingState,
  type TrainingState,
} from "../../circuits/learning/state.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";

/** Name of the one file. */
const FILE = "training.safetensors";

/** Where a training is, for checkpoints: one safetensors file, exact to the bit. */
export const trainingState: Codec<TrainingState, TrainingState, "training-state"> = defineCodec<
  TrainingState,
  TrainingState,
  "training-state"
>({
  name: "training-state",
  version: 1,
  async write(value, out) {
    await out.bytes(FILE, encodeTrainingState(value));
    return { epoch: value.progress.epoch, batch: value.progress.batch };
  },
  read: async (artifact) => decodeTrainingState(await artifact.bytes(FILE)),
});

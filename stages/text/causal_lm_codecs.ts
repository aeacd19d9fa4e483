/** Codecs of the training of causal language models. */
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors } from "../../circuits/safetensors.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { json } from "../../runner/codecs/json.ts";
import type { CausalLmState } from "../../teachers/causal_lm_training.ts";

const report = z.object({
  step: z.int(),
  epoch: z.number(),
  /** Mean cross-entropy in nats a token, over the steps since the last point. */
  train: z.number(),
  /** On the validation text. */
  valid: z.number(),
});

/** The loss curve of a causal language model. */
export interface CausalLmLog {
  /** Losses in nats a token, report by report. */
  reports: {
    step: number;
    epoch: number;
    train: number;
    valid: number;
  }[];
}

/** The loss curve of a causal language model. */
export const causalLmLog: Codec<CausalLmLog, CausalLmLog, "causal-lm-log"> = json(
  "causal-lm-log",
  z.object({ reports: z.array(report) }),
  1,
  {
    summary: ({ reports }) =>
      reports.slice(-12).map(({ epoch, train, valid }) =>
        [epoch, train, valid].map((x) => x.toFixed(3).padStart(8)).join("  ")
      ).join("\n"),
  },
);

const numbers = z.strictObject({ step: z.int(), total: z.number(), reports: z.array(report) });

/** State of the training of a causal language model, for checkpoints: exact to the bit. */
export const causalLmState: Codec<CausalLmState, CausalLmState, "causal-lm-state"> = defineCodec<
  CausalLmState,
  CausalLmState,
  "causal-lm-state"
>({
  name: "causal-lm-state",
  version: 1,
  async write({ tensors, ...rest }, out) {
    const file = new Map([...tensors].map(([name, values]) => [name, { shape: [values.length], values }]));
    await out.bytes("state.safetensors", encodeSafetensors(file));
    await out.json("state.json", { ...rest, reports: rest.reports.map((point) => ({ ...point })) });
    return { step: rest.step };
  },
  async read(artifact) {
    const { tensors } = decodeSafetensors(await artifact.bytes("state.safetensors"), "the checkpoint");
    return {
      ...numbers.parse(await artifact.json("state.json")),
      tensors: new Map([...tensors].map(([name, { values }]) => [name, values as Float32Array])),
    };
  },
});

/** Codecs of the training of masked language models. */
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors } from "../../circuits/safetensors.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { json } from "../../runner/codecs/json.ts";
import type { MaskedLmState } from "../../teachers/masked_lm_training.ts";

const report = z.object({
  step: z.int(),
  epoch: z.number(),
  /** Mean cross-entropy in nats among the candidates, over the steps since the last point. */
  train: z.number(),
  /** On the validation text, among all tokens, from both sides. */
  valid: z.number(),
  /** The same, from what follows alone. */
  validSuffix: z.number(),
});

/** The loss curve of a masked language model. */
export interface MaskedLmLog {
  /** Losses in nats a masked token, report by report. */
  reports: {
    step: number;
    epoch: number;
    train: number;
    valid: number;
    validSuffix: number;
  }[];
}

/** The loss curve of a masked language model. */
export const maskedLmLog: Codec<MaskedLmLog, MaskedLmLog, "masked-lm-log"> = json(
  "masked-lm-log",
  z.object({ reports: z.array(report) }),
  1,
  {
    summary: ({ reports }) => {
      const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(8)).join("  ");
      const step = Math.max(1, Math.ceil(reports.length / 12));
      const shown = reports.filter((_, i) => (reports.length - 1 - i) % step === 0);
      return [
        line(["epoch", "train", "valid", "suffix"]),
        ...shown.map(({ epoch, train, valid, validSuffix }) =>
          line([epoch, train, valid, validSuffix].map((x) => x.toFixed(3)))
        ),
      ].join("\n");
    },
  },
);

const numbers = z.strictObject({ step: z.int(), total: z.number(), reports: z.array(report) });

/** State of the training of a masked language model, for checkpoints: exact to the bit. */
export const maskedLmState: Codec<MaskedLmState, MaskedLmState, "masked-lm-state"> = defineCodec<
  MaskedLmState,
  MaskedLmState,
  "masked-lm-state"
>({
  name: "masked-lm-state",
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

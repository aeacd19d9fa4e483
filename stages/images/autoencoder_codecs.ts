/** Codecs of masked autoencoders. */
import { RetortError } from "../../foundation/errors.ts";
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors } from "../../circuits/safetensors.ts";
import { json } from "../../runner/codecs/json.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import type { AutoencoderState } from "../../teachers/autoencoder_training.ts";
import { autoencoderPlans, type AutoencoderSizes } from "../../teachers/masked_autoencoder.ts";

const whole = z.int().min(1);

/** Schema of the sizes of a transformer. */
export const transformerSizes: z.ZodObject<{
  width: z.ZodInt;
  layers: z.ZodInt;
  heads: z.ZodInt;
  hidden: z.ZodInt;
}, z.core.$strict> = z.strictObject({ width: whole, layers: whole, heads: whole, hidden: whole });

const config = z.strictObject({
  rows: whole,
  columns: whole,
  patch: whole,
  encoder: transformerSizes,
  decoder: transformerSizes,
  /** Mean and standard deviation of each channel of the training images, in 0..1; used to normalise pixels. */
  mean: z.array(z.number()),
  deviation: z.array(z.number()),
});

/** A trained masked autoencoder. */
export interface Autoencoder extends AutoencoderSizes {
  /** Mean of each channel in 0..1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel. */
  readonly deviation: readonly number[];
  /** Weights by name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** A trained masked autoencoder: `config.json` and `weights.safetensors`. Facts: sizes and number of weights. */
export const autoencoder: Codec<Autoencoder, Autoencoder, "masked-autoencoder"> = defineCodec<
  Autoencoder,
  Autoencoder,
  "masked-autoencoder"
>({
  name: "masked-autoencoder",
  version: 1,
  async write({ weights, ...sizes }, out) {
    const plans = autoencoderPlans(sizes);
    const tensors = new Map(
      Object.entries(plans).map(([name, { shape }]) => {
        const values = weights.get(name);
        if (values === undefined) {
          throw new RetortError("artifact/value", `the weights \`${name}\` are missing`);
        }
        return [name, { shape, values }];
      }),
    );
    await out.json("config.json", config.parse(sizes));
    await out.bytes("weights.safetensors", encodeSafetensors(tensors));
    const count = [...tensors.values()].reduce((total, { values }) => total + values.length, 0);
    return { weights: count, encoder: { ...sizes.encoder }, decoder: { ...sizes.decoder } };
  },
  async read(artifact) {
    const sizes = config.parse(await artifact.json("config.json"));
    const { tensors } = decodeSafetensors(await artifact.bytes("weights.safetensors"), "the autoencoder");
    return {
      ...sizes,
      weights: new Map([...tensors].map(([name, { values }]) => [name, values as Float32Array])),
    };
  },
});

/** Training log of an autoencoder. */
export interface AutoencoderLog {
  /** Losses and steps, epoch by epoch. */
  epochs: {
    epoch: number;
    train: number;
    valid: number;
  }[];
}

/** Training log of an autoencoder. */
export const autoencoderLog: Codec<AutoencoderLog, AutoencoderLog, "autoencoder-log"> = json(
  "autoencoder-log",
  z.object({
    /** Mean squared error on hidden patches, with colours normalised to unit variance. */
    epochs: z.array(z.object({ epoch: z.int(), train: z.number(), valid: z.number() })),
  }),
);

/** State of an autoencoder's training, for checkpoints. */
export const autoencoderState: Codec<AutoencoderState, AutoencoderState, "autoencoder-state"> = defineCodec<
  AutoencoderState,
  AutoencoderState,
  "autoencoder-state"
>({
  name: "autoencoder-state",
  version: 1,
  async write({ tensors, step, total, losses, valid }, out) {
    const file = new Map([...tensors].map(([name, values]) => [name, { shape: [values.length], values }]));
    await out.bytes("state.safetensors", encodeSafetensors(file));
    await out.json("state.json", { step, total, losses: [...losses], valid: [...valid] });
    return { step };
  },
  async read(artifact) {
    const { tensors } = decodeSafetensors(await artifact.bytes("state.safetensors"), "the checkpoint");
    const numbers = z.strictObject({
      step: z.int(),
      total: z.number(),
      losses: z.array(z.number()),
      valid: z.array(z.number()),
    }).parse(await artifact.json("state.json"));
    return {
      ...numbers,
      tensors: new Map([...tensors].map(([name, { values }]) => [name, values as Float32Array])),
    };
  },
});

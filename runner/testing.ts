/**
 * For tests of stages of one's own: runs a stage as a function, without pipeline, store or run.
 *
 * ```ts
 * import { defineStage, text } from "../mod.ts";
 * import { runStage } from "./testing.ts";
 *
 * const shout = defineStage({
 *   name: "shout",
 *   inputs: { text },
 *   outputs: { text },
 *   run: ({ inputs }) => ({ text: inputs.text.toUpperCase() }),
 * });
 * const { text: loud } = await runStage(shout, { text: "hello" });
 * console.assert(loud === "HELLO");
 * ```
 *
 * @module
 */
import type { z } from "zod";
import { RetortError } from "../foundation/errors.ts";
import type { WriteOf } from "./codec.ts";
import type { StageContext } from "./context.ts";
import type { InputTypes, Loaded, OutputTypes, Stage } from "./stage.ts";
import type { CodecOf } from "./temporary.ts";

/** What a stage returns: its outputs as it makes them, before any codec writes them. */
export type StageOutputs<O extends OutputTypes> = { readonly [K in keyof O]: WriteOf<CodecOf<O[K]>> };

/**
 * Runs a stage with inputs as its codecs read them. Parameters are checked and completed as a run does it; the engine is the
 * processor, the seed is 1, nothing is logged or kept. What `context` names is taken instead.
 *
 * @throws whatever the stage throws; ZodError for parameters that do not fit; RetortError for a stage that only locates data.
 */
export async function runStage<P extends z.ZodType, I extends InputTypes, O extends OutputTypes>(
  stage: Stage<P, I, O>,
  inputs: { readonly [K in keyof I]: Loaded<I[K]> },
  params?: z.input<P>,
  context: Partial<StageContext> = {},
): Promise<StageOutputs<O>> {
  const { name, params: schema, run } = stage.definition;
  if (run === undefined) {
    throw new RetortError("stage/declaration", `stage \`${name}\` locates data and has no \`run\``);
  }
  const none: StageContext = {
    node: name,
    seed: 1,
    signal: new AbortController().signal,
    checkpoint: {
      load: () => Promise.resolve(undefined),
      save: () => Promise.resolve(),
      offer: () => Promise.resolve(),
      soon: () => {},
    },
    engine: { choice: "cpu", used: () => {} },
    scratch: () => Deno.makeTempDir(),
    log: () => {},
    progress: () => {},
    metric: () => {},
    chosen: () => {},
  };
  const args = {
    inputs,
    params: schema === undefined ? {} : schema.parse(params ?? {}),
    context: { ...none, ...context },
  };
  return await (run as unknown as (args: unknown) => Promise<StageOutputs<O>>)(args);
}

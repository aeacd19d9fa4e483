import type { z } from "zod";
import { CallError } from "../foundation/errors.ts";
import type { PipelineOutputs } from "./graph.ts";
import type { HeadlineDefinition } from "./headline.ts";
import type { NoParams, ReadArtifact } from "./stage.ts";

/** How often a build may wait for artifacts where the pipeline does not say. */
const ROUNDS = 1000;

/** A pipeline as its file declares it. */
export interface PipelineDefinition<P extends z.ZodType = z.ZodType> {
  /** The pipeline's name: letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** Schema of the parameters that `--set` sets. */
  readonly params?: P;
  /** What the pipeline finds out, as a question for people: pages, reports and the terminal lead with its answer. */
  readonly question?: string;
  /** Where the answer stands in the outputs; a function where it depends on the parameters. No part of any key. */
  readonly headline?:
    | HeadlineDefinition
    | ((args: { readonly params: z.output<P> }) => HeadlineDefinition);
  /** How often its build may wait for artifacts, 1,000 by default. */
  readonly rounds?: number;
  /**
   * Makes the nodes by calling stages. Only nodes that a returned output depends on are run, and those whose artifacts it
   * reads: `await read(ref)` gives a small artifact, so that what is made may depend on it.
   */
  build(
    args: { readonly params: z.output<P>; readonly read: ReadArtifact },
  ): PipelineOutputs | Promise<PipelineOutputs>;
}

/** A pipeline, as `definePipeline` returns it. */
export interface Pipeline {
  /** Distinguishes a pipeline from other exports. */
  readonly kind: "retort.pipeline";
  /** The pipeline's name. */
  readonly name: string;
  /** Schema of the parameters; undefined where it takes none. */
  readonly params: z.ZodType | undefined;
  /** What it says of its question, not yet checked. */
  readonly asked: { readonly question?: unknown; readonly headline?: unknown };
  /** How often its build may wait for artifacts. */
  readonly rounds: number;
  /** Makes the nodes. */
  build(
    args: { readonly params: unknown; readonly read: ReadArtifact },
  ): PipelineOutputs | Promise<PipelineOutputs>;
}

/**
 * Declares a pipeline; the default export of a pipeline file.
 *
 * @throws CallError when the name is not usable.
 */
export function definePipeline<P extends z.ZodType = NoParams>(
  definition: PipelineDefinition<P>,
): Pipeline {
  if (typeof definition.name !== "string" || !/^[A-Za-z][\w.-]{0,79}$/.test(definition.name)) {
    throw new CallError(
      "pipeline/declaration",
      `pipeline name ${
        JSON.stringify(definition.name)
      }: expected 1 to 80 letters, digits, \`.\`, \`_\` or \`-\`, ` +
        "beginning with a letter",
    );
  }
  const rounds: unknown = definition.rounds ?? ROUNDS;
  if (!Number.isSafeInteger(rounds) || (rounds as number) < 1 || (rounds as number) > 1_000_000) {
    throw new CallError(
      "pipeline/declaration",
      `pipeline \`${definition.name}\`: \`rounds\` is ${
        JSON.stringify(rounds)
      }; expected a whole number from 1 to 1,000,000`,
    );
  }
  return {
    kind: "retort.pipeline",
    name: definition.name,
    params: definition.params,
    asked: { question: definition.question, headline: definition.headline },
    rounds: rounds as number,
    build: (args) => definition.build(args as { params: z.output<P>; read: ReadArtifact }),
  };
}

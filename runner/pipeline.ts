import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { JsonObject } from "../foundation/canonical.ts";
import { CallError, RetortError } from "../foundation/errors.ts";
import { offerStages } from "./declaration.ts";
import { buildGraph, type Graph, type OtherFaults, type PipelineOutputs } from "./graph.ts";
import { checkAsked, type HeadlineDefinition, type PipelineQuestion } from "./headline.ts";
import { assignParams, checkParams } from "./params.ts";
import { callFault } from "./place.ts";
import { StrayError, Strays, withStrays } from "./execute/strays.ts";
import { GrowingBuild, type ReadArtifact, ROUNDS } from "./growing.ts";
import type { NoParams } from "./stage.ts";

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
  /** How often its build may wait for artifacts, 100 by default. */
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
  /** Schema of the parameters. */
  readonly params: z.ZodType;
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
    params: definition.params ?? z.object({}),
    asked: { question: definition.question, headline: definition.headline },
    rounds: rounds as number,
    build: (args) => definition.build(args as { params: z.output<P>; read: ReadArtifact }),
  };
}

/** A pipeline with its parameters and its graph. */
export interface BuiltPipeline {
  readonly name: string;
  readonly params: JsonObject;
  readonly graph: Graph;
  /** What it answers; undefined where it does not say. */
  readonly asked: PipelineQuestion | undefined;
  /**
   * Lets the build go on with what it waits for; undefined once the graph is whole.
   *
   * @param values of `graph.awaited`, in their order.
   */
  readonly grow: ((values: readonly unknown[]) => Promise<BuiltPipeline>) | undefined;
}

/**
 * Builds a pipeline's graph after checking the parameters of the pipeline and of every node.
 *
 * @param assignments `a.b=value` texts, as `--set` gives them.
 * @param file the pipeline file; errors in its build name the line.
 * @param besides faults of other things, told with those of a graph that is refused.
 * @throws CallError listing every fault: node, parameter path, what was expected.
 */
export async function buildPipeline(
  pipeline: Pipeline,
  assignments: readonly string[] = [],
  file: URL = new URL("about:blank"),
  besides: OtherFaults = () => [],
): Promise<BuiltPipeline> {
  const assigned = assignParams(pipeline.params, {}, assignments);
  const checked = checkParams(pipeline.params, assigned.params);
  const faults = [...assigned.faults, ...(checked.ok ? [] : checked.faults)];
  if (!checked.ok || faults.length > 0) {
    throw new CallError(
      "pipeline/parameters",
      `pipeline \`${pipeline.name}\`:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
      { hint: "Set parameters with --set name=value; a list is JSON: --set 'name=[1,2]'." },
    );
  }
  const { parsed, build } = await inBuild(pipeline, file, async () => {
    // The schema's own output rather than its JSON copy, so that pipelines may use Maps or Dates.
    const parsed: unknown = pipeline.params.parse(assigned.params);
    const build = new GrowingBuild(
      pipeline.name,
      (read) => pipeline.build({ params: parsed, read }),
      pipeline.rounds,
    );
    await build.begin();
    return { parsed, build };
  });
  const grown = (earlier: Graph | undefined): BuiltPipeline => {
    const graph = buildGraph(build.returned, build.drafts, { awaited: build.awaited, earlier }, besides);
    const grow = async (values: readonly unknown[]) => {
      await inBuild(pipeline, file, () => build.answer(values));
      return grown(graph);
    };
    const whole = graph.awaited.length === 0;
    return {
      name: pipeline.name,
      params: checked.params,
      graph,
      asked: whole ? askedOf(pipeline, parsed, graph, file) : undefined,
      grow: whole ? undefined : grow,
    };
  };
  return grown(undefined);
}

/** Runs code of a pipeline's build; what it throws is told with its place. */
async function inBuild<T>(pipeline: Pipeline, file: URL, action: () => T | Promise<T>): Promise<T> {
  try {
    return await executing(async () => await action());
  } catch (error) {
    const what = error instanceof RetortError ? "" : "its build threw: ";
    throw callFault("pipeline/build-failed", `pipeline \`${pipeline.name}\`: ${what}`, error, file);
  }
}

function askedOf(pipeline: Pipeline, parsed: unknown, graph: Graph, file: URL): PipelineQuestion | undefined {
  // A headline that depends on the parameters is code of the file as its build is.
  try {
    return checkAsked(pipeline.name, pipeline.asked, parsed, [...graph.outputs.keys()]);
  } catch (error) {
    if (error instanceof CallError) throw error;
    throw callFault(
      "pipeline/declaration",
      `pipeline \`${pipeline.name}\`: its headline threw: `,
      error,
      file,
    );
  }
}

/**
 * Imports a pipeline file.
 *
 * @param url file URL of the module.
 * @throws CallError when it cannot be imported or its default export is no pipeline.
 */
export async function loadPipeline(url: URL): Promise<Pipeline> {
  let module: { default?: unknown };
  try {
    module = await executing(() => import(url.href));
  } catch (error) {
    throw callFault("pipeline/load-failed", `cannot load the pipeline ${fileURLToPath(url)}: `, error, url);
  }
  const pipeline = module.default as Partial<Pipeline> | undefined;
  if (pipeline?.kind !== "retort.pipeline") {
    throw new CallError("pipeline/not-a-pipeline", `${url.pathname}: its default export is not a pipeline`, {
      hint: "A pipeline file ends with `export default definePipeline({ name, params, build })`.",
    });
  }
  offerStages(url.href, module);
  return pipeline as Pipeline;
}

/** Runs code of a pipeline file; uncaught errors fail it as well. */
async function executing<T>(work: () => Promise<T>): Promise<T> {
  using _strays = new Strays(() => {});
  try {
    return await withStrays(async () => {
      const value = await work();
      // Unhandled rejections are reported only when the event loop is idle.
      await new Promise((resolve) => setTimeout(resolve));
      return value;
    });
  } catch (error) {
    // What was thrown where nobody catches it has its place in its cause; as any error of the file it is a wrong call.
    if (!(error instanceof StrayError) || !(error.cause instanceof Error)) throw error;
    throw Object.assign(new CallError("stage/uncaught", error.message, { cause: error.cause }), {
      stack: error.cause.stack,
    });
  }
}

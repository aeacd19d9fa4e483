import { fileURLToPath } from "node:url";
import type { JsonObject } from "../foundation/canonical.ts";
import { CallError, RetortError } from "../foundation/errors.ts";
import { offerStages } from "./declaration.ts";
import { StrayError, Strays, withStrays } from "./execute/strays.ts";
import { buildGraph, type Graph, type OtherFaults } from "./graph.ts";
import { GrowingBuild } from "./growing.ts";
import { checkAsked, type PipelineQuestion } from "./headline.ts";
import { assignParams, checkParams } from "./params.ts";
import type { Pipeline } from "./pipeline.ts";
import { callFault } from "./place.ts";

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
   * @param signal gives the build up.
   */
  readonly grow: ((values: readonly unknown[], signal?: AbortSignal) => Promise<BuiltPipeline>) | undefined;
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
    const own = `pipeline \`${pipeline.name}\`:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;
    throw new CallError(
      "pipeline/parameters",
      // Without parameters nobody knows its stages.
      [own, ...besides(new Set(), false)].join("\n"),
      { hint: "Set parameters with --set name=value; a list is JSON: --set 'name=[1,2]'." },
    );
  }
  const { parsed, build } = await inBuild(pipeline, file, async () => {
    // The schema's own output rather than its JSON copy, so that pipelines may use Maps or Dates.
    const parsed: unknown = pipeline.params === undefined ? {} : pipeline.params.parse(assigned.params);
    const build = new GrowingBuild(
      (read) => pipeline.build({ params: parsed, read }),
      pipeline.rounds,
    );
    await build.begin();
    return { parsed, build };
  });
  const grown = (earlier: Graph | undefined): BuiltPipeline => {
    const graph = buildGraph(build.returned, build.drafts, { awaited: build.awaited, earlier }, besides);
    const grow = async (values: readonly unknown[], signal?: AbortSignal) => {
      await inBuild(pipeline, file, () => build.answer(values, signal));
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

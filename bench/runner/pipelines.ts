/**
 * Pipelines of any size for measuring: a source, a sweep of two nodes a step (the second is named by the
 * parameters of the first), one node that gathers the sweep. The stages compute nothing. Another `first` is
 * another sweep of the same stages; with `drops` the outputs of half of the nodes are temporary.
 */

/** The text of a pipeline file with `nodes` nodes, an even number. */
function pipelineText(name: string, nodes: number): string {
  return `import { z } from "zod";
import { definePipeline, defineStage, many, temporary, text } from "retort";

export const load = defineStage({
  name: "bench.load",
  params: z.object({ text: z.string() }),
  outputs: { text },
  run: ({ params }) => ({ text: params.text }),
});

export const fitModel = defineStage({
  name: "bench.fit",
  params: z.object({ step: z.int() }),
  inputs: { text },
  outputs: { text },
  run: ({ inputs, params }) => ({ text: inputs.text + params.step }),
});

export const fitTemporary = defineStage({
  name: "bench.fit-temporary",
  params: z.object({ step: z.int() }),
  inputs: { text },
  outputs: { text: temporary(text) },
  run: ({ inputs, params }) => ({ text: inputs.text + params.step }),
});

export const evaluate = defineStage({
  name: "bench.evaluate",
  inputs: { text },
  outputs: { text },
  run: ({ inputs }) => ({ text: inputs.text + " evaluated" }),
});

export const gather = defineStage({
  name: "bench.gather",
  inputs: { texts: many(text) },
  outputs: { text },
  run: ({ inputs }) => ({ text: inputs.texts.join() }),
});

export default definePipeline({
  name: ${JSON.stringify(name)},
  params: z.object({
    text: z.string().default("text"),
    first: z.int().default(0),
    drops: z.boolean().default(false),
  }),
  build({ params }) {
    const source = load({}, { text: params.text });
    const fit = params.drops ? fitTemporary : fitModel;
    const texts = Array.from({ length: ${
    (nodes - 2) / 2
  } }, (_, i) => evaluate(fit(source, { step: params.first + i })).text);
    return { gathered: gather({ texts }).text };
  },
});
`;
}

/** Writes a pipeline of so many nodes into a folder and returns its path. */
export function writePipeline(folder: string, nodes: number): string {
  const path = `${folder}/bench_${nodes}.ts`;
  Deno.writeTextFileSync(path, pipelineText(`bench-${nodes}`, nodes));
  return path;
}

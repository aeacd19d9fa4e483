import type { JsonObject } from "../../foundation/canonical.ts";
import type { ArtifactView, NodeView } from "../view/run.ts";

/** What can be asked of an artifact on the explorer's page. */
export type Explorable =
  | {
    readonly kind: "text";
    /** Number of tokens in a window. */
    readonly length: number;
    /** Digest of the vocabulary. */
    readonly vocabulary: string;
  }
  | {
    readonly kind: "images";
    readonly height: number;
    readonly width: number;
    /** Image sets to start from; those not used for training come first. */
    readonly sets: readonly {
      readonly digest: string;
      /** Display name. */
      readonly name: string;
      readonly count: number;
    }[];
  };

/**
 * Determines from the records of the run that made an artifact what can be asked of it: a circuit with a vocabulary
 * among its ancestors is a text model; a circuit with one variable for each number of an image among its ancestors, or a
 * patch model, is an image model.
 *
 * @param returned names under which the run returns outputs, by `node:output`.
 */
export function explorable(
  nodes: ReadonlyMap<string, NodeView>,
  node: NodeView,
  artifact: Pick<ArtifactView, "codec" | "facts">,
  returned: ReadonlyMap<string, string> = new Map(),
): Explorable | null {
  const before = ancestors(nodes, node);
  const vocabulary = outputsOf(before, "vocabulary")[0]?.output.digest;
  const { codec, facts } = artifact;
  if (codec === "circuit" && vocabulary !== undefined && typeof facts.variables === "number") {
    return { kind: "text", length: facts.variables, vocabulary };
  }
  const fits = (images: JsonObject) => isOver(artifact, shapeOf(images));
  const source = outputsOf(before, "images").find(({ output }) => fits(output.facts));
  if (source === undefined) return null;
  const [, height, width] = shapeOf(source.output.facts)!;
  // Includes sets the model was not trained on, such as test images, if their numbers have the same meaning.
  const alike = outputsOf([...nodes.values()], "images").filter(({ output }) =>
    fits(output.facts) && output.facts.space === source.output.facts.space
  );
  const made = new Set(before.map((one) => one.name));
  const sets = [
    ...alike.filter(({ node }) => !made.has(node.name)),
    ...alike.filter(({ node }) => made.has(node.name)),
  ];
  return {
    kind: "images",
    height: height!,
    width: width!,
    sets: sets.map(({ node, output }) => ({
      digest: output.digest,
      name: setName(node, output, made.has(node.name), returned),
      count: shapeOf(output.facts)![0]!,
    })),
  };
}

/** Display name of an image set: its name among the run's outputs, and whether the model was trained on it. */
function setName(
  node: NodeView,
  output: ArtifactView,
  made: boolean,
  returned: ReadonlyMap<string, string>,
): string {
  const own = returned.get(`${node.name}:${output.output}`) ??
    (node.variant === node.name ? "" : node.variant);
  const kind = made ? "images that it was made from" : "other images";
  return own === "" ? kind : `${own} (${kind})`;
}

/** The node and its ancestors, nearest first. */
function ancestors(nodes: ReadonlyMap<string, NodeView>, node: NodeView): NodeView[] {
  const found = new Map([[node.name, node]]);
  for (const one of found.values()) {
    for (const input of one.inputs) {
      const source = nodes.get(input.node);
      if (source !== undefined && !found.has(source.name)) found.set(source.name, source);
    }
  }
  return [...found.values()];
}

function outputsOf(nodes: readonly NodeView[], codec: string) {
  return nodes.flatMap((node) =>
    node.outputs.filter((output) => output.codec === codec).map((output) => ({ node, output }))
  );
}

/** Whether a circuit has one variable for each number of an image shape, or a model's patches cover it. */
function isOver(
  { codec, facts }: Pick<ArtifactView, "codec" | "facts">,
  shape: readonly number[] | undefined,
): boolean {
  if (shape === undefined) return false;
  const [, height, width, channels] = shape as [number, number, number, number];
  if (codec === "circuit") return facts.variables === height * width * channels;
  return codec === "patch-model" &&
    Number(facts.patches) * Number(facts.patch) ** 2 === height * width;
}

/** `[images, rows, columns, channels]`. */
function shapeOf(facts: JsonObject): number[] | undefined {
  const { shape } = facts;
  return Array.isArray(shape) && shape.length === 4 && shape.every((n) => typeof n === "number")
    ? shape as number[]
    : undefined;
}

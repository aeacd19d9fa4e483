import { RetortError } from "../foundation/errors.ts";

/** What a model is, in words for whoever meets it. */
export interface ModelStory {
  /** A few words: what it is a model of. */
  readonly title: string;
  /** Where it comes from, a line each: data, stages, versions, scores. */
  readonly provenance: readonly (readonly [name: string, value: string])[];
  /** Sentences with blanks to begin with; none for models of images. */
  readonly examples: readonly string[];
}

/** A text that goes with a circuit, as JSON. @throws {RetortError} when it is none */
export function parsedText(text: string | undefined, where: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RetortError("circuit-file/damaged", `${where}: a text that goes with the circuit is not JSON`, {
      cause,
    });
  }
}

/** What is told of a model, as far as it is well formed. */
export function storyOf(value: unknown): ModelStory {
  const { title, provenance, examples } = (value ?? {}) as Record<keyof ModelStory, unknown>;
  const isText = (one: unknown): one is string => typeof one === "string" && one.length <= 2000;
  return {
    title: isText(title) ? title : "a model",
    provenance: Array.isArray(provenance)
      ? provenance.filter((one) => Array.isArray(one) && one.length === 2 && one.every(isText)).slice(0, 40)
      : [],
    examples: Array.isArray(examples) ? examples.filter(isText).slice(0, 12) : [],
  };
}

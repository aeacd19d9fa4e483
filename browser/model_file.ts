import type { Circuit } from "../circuits/circuit.ts";
import { decodeCircuitFile, encodeCircuitFile, type EncodedFile } from "../circuits/one_file.ts";
import type { TokenKind, Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError } from "../foundation/errors.ts";

/** What a model of texts is, in words for whoever meets it. */
export interface ModelStory {
  /** A few words: what it is a model of. */
  readonly title: string;
  /** Where it comes from, a line each: data, stages, versions, scores. */
  readonly provenance: readonly (readonly [name: string, value: string])[];
  /** Sentences with blanks to begin with. */
  readonly examples: readonly string[];
}

/** A model of texts as pages have it: one file. */
export interface TextModelFile {
  /** The circuit, over windows of tokens. */
  readonly circuit: Circuit;
  /** Its vocabulary. */
  readonly vocabulary: Vocabulary;
  /** What it is. */
  readonly story: ModelStory;
}

/** Names of the texts that go with the circuit. */
const VOCABULARY = "vocabulary", STORY = "story";

/** The most tokens, and bytes, that a page takes: beyond them a tab would end without a word. */
const MOST_TOKENS = 300_000, MOST_BYTES = 1 << 29;

/** Writes a model into one file, which `loadCircuit` reads too. `bits`: 8 for probabilities of tokens in a byte each. */
export function encodeTextModel(
  { circuit, vocabulary, story }: TextModelFile,
  bits: 8 | 32 = 32,
): EncodedFile {
  return encodeCircuitFile(circuit, {
    bits,
    metadata: { [VOCABULARY]: JSON.stringify(vocabulary), [STORY]: JSON.stringify(story) },
  });
}

/**
 * Reads a model and checks it completely: what comes in may be anything.
 *
 * @param where how messages name the file
 * @throws {RetortError} when it is no model, or too large for a tab
 */
export function decodeTextModel(bytes: Uint8Array, where: string): TextModelFile {
  checkModelSize(bytes.length, where);
  const { circuit, metadata } = decodeCircuitFile(bytes, where);
  const vocabulary = vocabularyOf(parsed(metadata[VOCABULARY], where));
  if (vocabulary === undefined) {
    throw new RetortError("circuit-file/invalid", `${where} holds a circuit without a vocabulary`, {
      hint: "Models of texts are exported by `deno task export REF --web DIR`, or saved by the playground.",
    });
  }
  const wrong = circuit.variables.find((one) =>
    one.kind !== "categorical" || one.states !== vocabulary.words.length
  );
  if (wrong !== undefined) {
    throw new RetortError(
      "inputs/mismatch",
      `the circuit is not a model of texts over ${vocabulary.words.length} words`,
      { hint: `Its variable ${wrong.name} is of another kind or size.` },
    );
  }
  return { circuit, vocabulary, story: storyOf(parsed(metadata[STORY], where)) };
}

/** Refuses what a tab cannot hold, before it is read. @throws {RetortError} */
export function checkModelSize(bytes: number, where: string): void {
  if (bytes <= MOST_BYTES) return;
  throw new RetortError(
    "page/limit",
    `${where} has ${Math.ceil(bytes / 2 ** 20)} MiB, and a page takes ${MOST_BYTES / 2 ** 20}`,
    {
      hint: "Export it with fewer bits or states.",
    },
  );
}

function parsed(text: string | undefined, where: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RetortError("circuit-file/damaged", `${where}: a text that goes with the circuit is not JSON`, {
      cause,
    });
  }
}

const KINDS: readonly TokenKind[] = ["words", "characters", "bytes", "pieces"];

function vocabularyOf(value: unknown): Vocabulary | undefined {
  const { kind, words, unknown, end, glued, tokenizer } = (value ?? {}) as Record<keyof Vocabulary, unknown>;
  if (
    !Array.isArray(words) || words.length > MOST_TOKENS || !words.every((word) => typeof word === "string")
  ) {
    return undefined;
  }
  const isToken = (id: unknown) =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < words.length;
  if (!KINDS.includes(kind as TokenKind) || ![unknown, end].every((id) => id === null || isToken(id))) {
    return undefined;
  }
  return {
    kind: kind as TokenKind,
    words,
    unknown: unknown as number | null,
    end: end as number | null,
    ...(Array.isArray(glued) && glued.every(isToken) && { glued: glued as number[] }),
    ...(typeof tokenizer === "string" && { tokenizer }),
  };
}

/** What is told of a model, as far as it is well formed. */
function storyOf(value: unknown): ModelStory {
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

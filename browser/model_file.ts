import type { Circuit } from "../circuits/circuit.ts";
import { decodeCircuitFile, encodeCircuitFile, type EncodedFile } from "../circuits/one_file.ts";
import type { TokenKind, Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError } from "../foundation/errors.ts";
import { checkModelSize } from "./model_bytes.ts";
import { type ModelStory, parsedText, storyOf } from "./story.ts";

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

/** The most tokens that a page takes: beyond them a tab would end without a word. */
const MOST_TOKENS = 300_000;

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
  const vocabulary = vocabularyOf(parsedText(metadata[VOCABULARY], where));
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
  return { circuit, vocabulary, story: storyOf(parsedText(metadata[STORY], where)) };
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

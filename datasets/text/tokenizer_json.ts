/** A part of a `tokenizer.json`: a normalizer, a pre-tokenizer, a model, a decoder. */
export interface TokenizerPart {
  readonly type?: string;
  readonly [name: string]: unknown;
}

/** The parts of a `tokenizer.json` that are used here. */
export interface TokenizerJson {
  readonly model: TokenizerPart & { readonly vocab: object };
  readonly normalizer?: TokenizerPart | null;
  readonly pre_tokenizer?: TokenizerPart | null;
  readonly post_processor?: TokenizerPart | null;
  readonly decoder?: TokenizerPart | null;
  readonly added_tokens?: readonly { readonly content: string; readonly single_word?: boolean }[];
}

/**
 * Rewrites a `tokenizer.json` so that `@huggingface/tokenizers` reads it as Hugging Face's own `tokenizers` read the
 * original. The latter produced the ids that models were trained on and are the reference.
 *
 * @throws Error naming what neither words nor library have.
 */
export function inOtherWords(json: TokenizerJson): TokenizerJson {
  const { model, added_tokens = [] } = json;
  if (!["BPE", "Unigram", "WordLevel", "WordPiece"].includes(typeOf(model))) {
    throw new Error(`its model is a ${typeOf(model)}`);
  }
  const single = added_tokens.find((token) => token.single_word === true);
  if (single !== undefined) {
    throw new Error(
      `its added token ${JSON.stringify(single.content)} is for whole words only (single_word)`,
    );
  }
  if (typeof model.continuing_subword_prefix === "string" && typeOf(model) === "BPE") {
    if (model.continuing_subword_prefix !== "") {
      throw new Error("a BPE whose pieces inside words have a prefix (continuing_subword_prefix)");
    }
  }
  return {
    ...json,
    added_tokens,
    // Saved padding and truncation are ignored: they are up to whoever makes batches.
    ...{ padding: null, truncation: null },
    normalizer: json.normalizer ? normalizer(json.normalizer) : null,
    pre_tokenizer: json.pre_tokenizer ? preTokenizer(json.pre_tokenizer) : null,
    post_processor: json.post_processor ?? null,
    decoder: json.decoder ?? usualDecoder(json),
  };
}

/** The type of a model, which old files do not state. */
export function typeOf(model: TokenizerPart): string {
  if (model.type !== undefined) return model.type;
  if (Array.isArray(model.vocab)) return "Unigram";
  if (model.merges !== undefined) return "BPE";
  return model.continuing_subword_prefix === undefined ? "WordLevel" : "WordPiece";
}

const sequence = (parts: readonly TokenizerPart[], name: string): TokenizerPart => ({
  type: "Sequence",
  [name]: parts,
});
const replace = (regex: string, content: string): TokenizerPart => ({
  type: "Replace",
  pattern: { Regex: regex },
  content,
});

/** Ideographs beyond the basic plane, which BERT's normalizer separates from each other. */
const IDEOGRAPHS = [[0x20000, 0x2a6df], [0x2a700, 0x2b73f], [0x2b740, 0x2b81f], [0x2b920, 0x2ceaf], [
  0x2f800,
  0x2fa1f,
]].map((range) => range.map((code) => String.fromCodePoint(code)).join("-")).join("");

function normalizer(part: TokenizerPart): TokenizerPart {
  // JavaScript's lowercasing turns a capital sigma at the end of a word into a final sigma; the reference does not.
  const sigma = replace("Σ", "σ");
  switch (part.type) {
    case "Sequence":
      return sequence((part.normalizers as TokenizerPart[]).map(normalizer), "normalizers");
    case "Lowercase":
      return sequence([sigma, part], "normalizers");
    case "BertNormalizer":
      return sequence([
        ...part.handle_chinese_chars === false ? [] : [replace(`[${IDEOGRAPHS}]`, " $& ")],
        ...part.lowercase === false ? [] : [sigma],
        part,
      ], "normalizers");
    case "Replace":
      // The replacement is literal, but JavaScript interprets dollar signs.
      return { ...part, content: String(part.content ?? "").replaceAll("$", "$$$$") };
    case "Strip":
      return sequence([
        ...part.strip_left === false ? [] : [replace("\\A\\s+", "")],
        ...part.strip_right === false ? [] : [replace("\\s+\\z", "")],
      ], "normalizers");
    case "Prepend":
      // Nothing is prepended to empty text.
      return replace("\\A[\\s\\S]", `${String(part.prepend ?? "").replaceAll("$", "$$$$")}$&`);
    case "Nmt":
      return sequence([
        replace("[\\u0001-\\u0008\\u000B\\u000E-\\u001F\\u007F\\u008F\\u009F]", ""),
        replace(
          "[\\u0009\\u000A\\u000C\\u000D\\u1680\\u200B-\\u200F\\u2028\\u2029\\u2581\\uFEFF\\uFFFD]",
          " ",
        ),
      ], "normalizers");
    default:
      return part;
  }
}

/** The equivalent of `\w` in Rust's regular expressions. */
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200C\\u200D";
/** Words of GPT-2, including the space before them. */
const BYTE_LEVEL = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const MARK = "[\\p{P}\\u0021-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u007E]";

function preTokenizer(part: TokenizerPart): TokenizerPart {
  switch (part.type) {
    case "Sequence":
      return sequence((part.pretokenizers as TokenizerPart[]).map(preTokenizer), "pretokenizers");
    case "ByteLevel": {
      if (part.use_regex === false) return part;
      // JavaScript's `\s` differs from the reference's white space, so words are separated beforehand.
      const prefix = { type: "Replace", pattern: { Regex: "\\A[^ ]" }, content: " $&" };
      const bytes = { ...part, add_prefix_space: false, use_regex: false };
      return sequence(
        [...part.add_prefix_space === true ? [prefix] : [], split(BYTE_LEVEL, "isolated"), bytes],
        "pretokenizers",
      );
    }
    case "Whitespace":
      return matches(`[${WORD}]+|[^${WORD}\\s]+`);
    case "BertPreTokenizer":
      return sequence([split("\\s+", "removed"), split(MARK, "isolated")], "pretokenizers");
    case "WhitespaceSplit":
      return split("\\s+", "removed");
    case "CharDelimiterSplit":
      return split(escaped(String(part.delimiter)), "removed");
    case "Punctuation":
      return split(MARK, behaviourOf(part, "isolated"));
    case "FixedLength":
      // By code points: the library counts UTF-16 units, two for those beyond the basic plane.
      return matches(`[\\s\\S]{1,${Number(part.length)}}`);
    case "Digits":
      return split(part.individual_digits === true ? "\\p{N}" : "\\p{N}+", "isolated");
    case "Split": {
      const { Regex, String: text } = part.pattern as { Regex?: string; String?: string };
      const regex = Regex ?? escaped(text ?? "");
      const behaviour = behaviourOf(part, "isolated");
      if (part.invert === true && behaviour === "removed") return matches(regex);
      // Swaps matches and gaps, which makes no difference if both are kept separate.
      if (part.invert === true && behaviour !== "isolated") {
        throw new Error(`a pre-tokenizer Split, inverted and ${behaviour}`);
      }
      return split(regex, behaviour);
    }
    case "Metaspace": {
      const mark = String(part.replacement ?? "▁");
      const scheme = part.add_prefix_space === false ? "never" : part.prepend_scheme ?? "always";
      const spaced = { ...part, prepend_scheme: scheme };
      if (part.split === false) return spaced;
      return sequence([spaced, matches(`${escaped(mark)}[^${mark}]*|[^${mark}]+`)], "pretokenizers");
    }
    default:
      return part;
  }
}

function behaviourOf({ behavior }: TokenizerPart, otherwise: string): string {
  // MergedWithPrevious and merged_with_previous are the same.
  return String(behavior ?? otherwise).replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase();
}

/** Pre-tokens are the matches; text between them is dropped. */
function matches(regex: string): TokenizerPart {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Removed", invert: true };
}

/** Pre-tokens are the text between matches, with the matches treated according to `behaviour`. */
function split(regex: string, behaviour: string): TokenizerPart {
  const match = `(?:${regex})`, between = `(?:(?!${match})[\\s\\S])`;
  switch (behaviour) {
    case "removed":
    case "isolated":
      return { type: "Split", pattern: { Regex: regex }, behavior: behaviour, invert: false };
    case "contiguous":
      return matches(`${match}+|${between}+`);
    case "merged_with_previous":
      return matches(`${between}*${match}|${between}+`);
    case "merged_with_next":
      return matches(`${match}${between}*|${between}+`);
    default:
      throw new Error(`a pre-tokenizer whose behavior is ${behaviour}`);
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The decoder for files without one: inferred from the conventions of the other parts. */
function usualDecoder({ model, pre_tokenizer, normalizer }: TokenizerJson): TokenizerPart | null {
  const parts = JSON.stringify([pre_tokenizer, normalizer]);
  if (/"ByteLevel"/.test(parts)) return { type: "ByteLevel" };
  if (typeof model.end_of_word_suffix === "string" && model.end_of_word_suffix !== "") {
    return { type: "BPEDecoder", suffix: model.end_of_word_suffix };
  }
  if (typeOf(model) === "WordPiece") {
    return { type: "WordPiece", prefix: model.continuing_subword_prefix ?? "##", cleanup: false };
  }
  if (!parts.includes("▁") && !/"Metaspace"/.test(parts)) return null;
  const pieces = { type: "Metaspace", replacement: "▁" };
  return model.byte_fallback === true ? sequence([{ type: "ByteFallback" }, pieces], "decoders") : pieces;
}

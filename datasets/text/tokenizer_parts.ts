import { ByteFallbackDecoder, PrecompiledNormalizer, type Tokenizer } from "@huggingface/tokenizers";
import { joinBytePieces } from "./byte_pieces.ts";
import { charsmap } from "./charsmap.ts";
import { type TokenizerJson, type TokenizerPart, typeOf } from "./tokenizer_json.ts";

type Model = NonNullable<Tokenizer["model"]>;

/** Changes parts of a tokenizer whose behaviour no rewriting of the file can correct: see `inOtherWords`. */
export function mendParts(tokenizer: Tokenizer, { model }: TokenizerJson): void {
  const kind = typeOf(model), bytes = model.byte_fallback === true;
  tokenizer.model = apart(tokenizer.model!, bytes && kind === "Unigram");
  if (kind === "BPE" && !bytes && typeof model.unk_token !== "string") {
    tokenizer.model = withoutStrangers(tokenizer.model, model);
  }
  spellBytes(tokenizer.decoder);
  replaceExactly(tokenizer.normalizer);
}

/**
 * A model that encodes each pre-token separately: unknown pieces are not merged across pre-tokens.
 *
 * @param bytes whether unknown pieces fall back to bytes, which the library supports only for BPE.
 */
function apart(model: Model, bytes: boolean): Model {
  const encoder = new TextEncoder();
  const spelled = (piece: string): string[] => {
    if (!bytes || model.tokens_to_ids.has(piece)) return [piece];
    const all = Array.from(
      encoder.encode(piece),
      (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    );
    return all.every((byte) => model.tokens_to_ids.has(byte)) ? all : [piece];
  };
  return new Proxy<Model>(model, {
    apply: (target, _this, [tokens]: [string[]]) =>
      tokens.flatMap((token) =>
        (target as unknown as (tokens: string[]) => string[])([token]).flatMap(spelled)
      ),
  });
}

/**
 * A BPE model without an unknown piece: unknown characters are removed before merging, so that the characters on both
 * sides can merge; the library removes them afterwards.
 */
function withoutStrangers(
  model: Model,
  { end_of_word_suffix: suffix, ignore_merges: whole }: TokenizerPart,
): Model {
  const { tokens_to_ids: ids } = model;
  const end = typeof suffix === "string" ? suffix : "";
  const known = (token: string) => {
    if (whole === true && ids.has(token)) return token;
    const characters = [...token], last = characters.length - 1;
    // With a suffix the library would treat the remaining text as the end of the word.
    if (end !== "" && last >= 0 && !ids.has(characters[last]! + end)) return token;
    return characters.filter((one, i) => ids.has(i === last ? one + end : one)).join("");
  };
  return new Proxy<Model>(model, {
    apply: (target, _this, [tokens]: [string[]]) =>
      (target as unknown as (tokens: string[]) => string[])(tokens.map(known)),
  });
}

/** Makes byte decoders treat invalid UTF-8 as Hugging Face's own do. */
function spellBytes(decoder: Tokenizer["decoder"]): void {
  if (decoder instanceof ByteFallbackDecoder) decoder.decode_chain = joinBytePieces;
  const { decoders } = (decoder ?? {}) as { decoders?: Tokenizer["decoder"][] };
  decoders?.forEach(spellBytes);
}

/** SentencePiece's normalisation by the table in the file; the library implements only what most tables have in common. */
function replaceExactly(normalizer: Tokenizer["normalizer"]): void {
  if (normalizer instanceof PrecompiledNormalizer) {
    const { precompiled_charsmap: table } = normalizer.config as { precompiled_charsmap?: string | null };
    // Without a table nothing is replaced.
    normalizer.normalize = table ? charsmap(table) : (text) => text;
  }
  const { normalizers } = (normalizer ?? {}) as { normalizers?: Tokenizer["normalizer"][] };
  normalizers?.forEach(replaceExactly);
}

import { ByteFallbackDecoder, PrecompiledNormalizer, type Tokenizer } from "@huggingface/tokenizers";
import { joinBytePieces } from "./byte_pieces.ts";
import { charsmap } from "./charsmap.ts";
import { type TokenizerJson, typeOf } from "./tokenizer_json.ts";

type Model = NonNullable<Tokenizer["model"]>;

/** Parts of a tokenizer that do what no other words would make the library do: see `inOtherWords`. */
export function mendParts(tokenizer: Tokenizer, { model }: TokenizerJson): void {
  tokenizer.model = apart(tokenizer.model!, model.byte_fallback === true && typeOf(model) === "Unigram");
  spellBytes(tokenizer.decoder);
  replaceExactly(tokenizer.normalizer);
}

/**
 * A model that takes each pre-token by itself: unknown pieces of one are not joined with those of the next.
 *
 * @param bytes whether unknown pieces are written as bytes, which the library does for BPE alone.
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

/** Decoders of bytes read as Hugging Face's own do also where the bytes are no text. */
function spellBytes(decoder: Tokenizer["decoder"]): void {
  if (decoder instanceof ByteFallbackDecoder) decoder.decode_chain = joinBytePieces;
  const { decoders } = (decoder ?? {}) as { decoders?: Tokenizer["decoder"][] };
  decoders?.forEach(spellBytes);
}

/** SentencePiece's normalisation by the table of the file, of which the library does what most tables have in common. */
function replaceExactly(normalizer: Tokenizer["normalizer"]): void {
  if (normalizer instanceof PrecompiledNormalizer) {
    const { precompiled_charsmap: table } = normalizer.config as { precompiled_charsmap?: string | null };
    // Without a table nothing is replaced.
    normalizer.normalize = table ? charsmap(table) : (text) => text;
  }
  const { normalizers } = (normalizer ?? {}) as { normalizers?: Tokenizer["normalizer"][] };
  normalizers?.forEach(replaceExactly);
}

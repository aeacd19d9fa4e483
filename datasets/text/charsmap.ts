/**
 * The replacement table of SentencePiece's normalisation (`precompiled_charsmap`): the size of a double-array trie
 * (Darts-clone), the trie, and the replacements, each terminated by a zero byte.
 *
 * Replaces text as Hugging Face's `tokenizers` do: a grapheme of less than six bytes as a whole, otherwise character by
 * character, each by the shortest matching prefix in the table.
 *
 * @throws Error when the table is cut off
 */
export function charsmap(base64: string): (text: string) => string {
  const bytes = Uint8Array.fromBase64(base64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length < 4 ? -1 : view.getUint32(0, true);
  if (size < 4 || size % 4 !== 0 || 4 + size > bytes.length) {
    throw new Error("its precompiled_charsmap is cut off");
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);
  const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

  const replacement = (key: Uint8Array): string | undefined => {
    let at = offsetOf(units[0]!);
    for (const byte of key) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = units[at] ?? 0;
      if ((unit & 0x800000ff) !== byte) return undefined;
      at ^= offsetOf(unit);
      if ((unit >>> 8 & 1) === 1) {
        const from = units[at]! & 0x7fffffff, to = texts.indexOf(0, from);
        return decoder.decode(texts.subarray(from, to < 0 ? texts.length : to));
      }
    }
    return undefined;
  };
  const known = new Map<string, string>();
  const normalised = (grapheme: string): string => {
    const whole = encoder.encode(grapheme);
    const found = whole.length < 6 ? replacement(whole) : undefined;
    return found ?? Array.from(grapheme, (one) => replacement(encoder.encode(one)) ?? one).join("");
  };
  return (text) => {
    let made = "";
    for (const { segment } of graphemes.segment(text)) {
      let one = known.get(segment);
      if (one === undefined) {
        one = normalised(segment);
        if (known.size < 1 << 16) known.set(segment, one);
      }
      made += one;
    }
    return made;
  };
}

/** Offset from a trie node to its children. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}

import { TextError } from "./errors.ts";

/**
 * Decodes strict UTF-8 without a byte order mark.
 *
 * @throws TextError naming the first byte that does not fit.
 */
export async function* decodeUtf8(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let before = 0;
  let rest = new Uint8Array();
  let first = true;
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : concatenated(rest, chunk);
    const whole = bytes.length - incompleteTail(bytes);
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(0, whole));
    } catch {
      throw notUtf8(name, before, bytes.subarray(0, whole));
    }
    before += whole;
    rest = bytes.slice(whole);
    if (first && text.startsWith("\ufeff")) text = text.slice(1);
    if (text !== "") {
      first = false;
      yield text;
    }
  }
  if (rest.length > 0) throw notUtf8(name, before, rest);
}

function notUtf8(name: string, before: number, bytes: Uint8Array): TextError {
  // A prefix decodes only if it ends before the first wrong byte, so that is found by bisection.
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isPrefixOfUtf8(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  good -= incompleteTail(bytes.subarray(0, good)); // The character broken by the wrong byte is wrong from its first byte.
  const at = before + good;
  const hex = [...bytes.subarray(good, good + 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new TextError("text/encoding", `${name}: not UTF-8 at byte ${at}: ${hex}`, {
    hint: hintFor(bytes),
  });
}

/**
 * What bytes that are not UTF-8 may be: mostly beyond ASCII, another script; few of them, letters with diacritics; many
 * unprintable ones, not text.
 */
function hintFor(bytes: Uint8Array): string {
  let high = 0, control = 0;
  for (const byte of bytes) {
    if (byte >= 0x80) high++;
    else if (byte < 0x20 && !(byte >= 9 && byte <= 13)) control++;
  }
  if (control > bytes.length / 20) {
    return "It does not seem to be text. Leave it out (`endings` takes only files whose names end so).";
  }
  const guess = high > bytes.length / 4
    ? "perhaps GB18030, BIG5, SHIFT_JIS, EUC-JP, EUC-KR, TIS-620, WINDOWS-1251 or KOI8-R"
    : "perhaps WINDOWS-1252 (Latin-1)";
  return `Convert it first: iconv -f ENCODING -t UTF-8 FILE, with the encoding that it is in: ${guess}.`;
}

function isPrefixOfUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Number of bytes at the end, at most 3, that begin an incomplete character. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

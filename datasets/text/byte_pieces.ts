const BYTE = /^<0x([0-9A-F]{2})>$/;

/** Whether a piece stands for a byte: `<0x0A>`. */
export function isBytePiece(piece: string): boolean {
  return BYTE.test(piece);
}

/** Pieces with runs of byte pieces decoded to text; bytes that are not valid text become replacement characters. */
export function joinBytePieces(pieces: readonly string[]): string[] {
  const made: string[] = [];
  let open: number[] = [];
  const close = () => {
    if (open.length > 0) made.push(spelled(open));
    open = [];
  };
  for (const piece of pieces) {
    const byte = BYTE.exec(piece)?.[1];
    if (byte !== undefined) open.push(parseInt(byte, 16));
    else {
      close();
      made.push(piece);
    }
  }
  close();
  return made;
}

function spelled(bytes: readonly number[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return "\ufffd".repeat(bytes.length);
  }
}

/** Non-printable bytes, in order: the byte-level alphabet of GPT-2 shows them from U+0100 on. */
const HIDDEN = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => byte < 0x21 || (byte > 0x7e && byte < 0xa1) || byte === 0xad);

/** The bytes of a piece in the byte-level alphabet of GPT-2: printable bytes stand for themselves. */
export function bytesOfLevel(piece: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const character of piece) {
    const code = character.codePointAt(0)!;
    if (code < 0x100) bytes.push(code);
    else if (code - 0x100 < HIDDEN.length) bytes.push(HIDDEN[code - 0x100]!);
    else bytes.push(...new TextEncoder().encode(character));
  }
  return Uint8Array.from(bytes);
}

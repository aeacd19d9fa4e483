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

import type { Store } from "../../runner/store/store.ts";

/** A piece of a log. Positions are byte offsets in the file. */
export interface LogPiece {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** Size of the whole file in bytes. */
  readonly size: number;
}

/** Maximum size of a piece in bytes. */
export const LOG_PIECE = 64 << 10;

/**
 * A piece of a node's log.
 *
 * @param path the recorded path: relative to the store, inside `runs`; others are refused.
 * @param at the start of the piece, or the end: then the last piece before that position.
 */
export function readLog(
  store: Store,
  path: string,
  at: { readonly from: number } | { readonly before: number },
): LogPiece {
  const empty = { text: "", from: 0, to: 0, size: 0 };
  if (!/^runs\/[\w-]+\/[^/\\]+\.log$/.test(path)) return empty;
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(`${store.root}/${path}`);
  } catch {
    return empty; // Deleted by gc, or a run of another machine.
  }
  using _closed = file;
  const { size } = file.statSync();
  const end = "from" in at ? Math.min(size, at.from + LOG_PIECE) : Math.min(size, at.before);
  const from = "from" in at ? Math.min(at.from, size) : Math.max(0, end - LOG_PIECE);
  const bytes = new Uint8Array(end - from);
  file.seekSync(from, Deno.SeekMode.Start);
  let held = 0;
  while (held < bytes.length) {
    const n = file.readSync(bytes.subarray(held));
    if (n === null) break;
    held += n;
  }
  // Pieces begin and end at line boundaries, unless a line is longer than a piece.
  const first = from === 0 ? 0 : "from" in at ? 0 : bytes.indexOf(10, 0) + 1;
  const last = end === size ? held : bytes.lastIndexOf(10, held - 1) + 1;
  const [start, stop] = last > first ? [first, last] : [0, held];
  return {
    text: new TextDecoder().decode(bytes.subarray(start, stop)),
    from: from + start,
    to: from + stop,
    size,
  };
}

/** The end of a log. */
export function readLogEnd(store: Store, path: string): string {
  return readLog(store, path, { before: Infinity }).text;
}

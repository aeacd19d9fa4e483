/** Lines including their line ends, from text in pieces. */
export async function* textLines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let open: string[] = [];
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      const line = piece.slice(from, end + 1);
      yield open.length === 0 ? line : open.join("") + line;
      open = [];
      from = end + 1;
    }
    if (from < piece.length) open.push(piece.slice(from));
  }
  if (open.length > 0) yield open.join("");
}

/** Characters that are encoded in one task: some milliseconds. */
const PORTION = 1 << 19;

/** A text of any length as a blob, which is encoded in short tasks: the page answers between them. */
export async function blobOf(text: string): Promise<Blob> {
  const parts: Blob[] = [];
  for (let from = 0; from < text.length;) {
    // The two halves of a character outside the basic plane stay together.
    const high = /[\ud800-\udbff]/.test(text.charAt(from + PORTION - 1));
    const to = from + PORTION + (high ? 1 : 0);
    parts.push(new Blob([text.slice(from, to)]));
    from = to;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return new Blob(parts);
}

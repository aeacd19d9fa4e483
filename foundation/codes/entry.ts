/** What the documentation says of an error code. */
export interface CodeEntry {
  /** What is wrong, in a sentence or two. */
  readonly means: string;
  /** A message as it may read. */
  readonly example: string;
  /** What to do about it. */
  readonly remedy: string;
}

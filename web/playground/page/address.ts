/// <reference lib="dom" />

/** What the address says after `#`, as for a form: the model and the question, so that a link shares them. */
export function readAddress(): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Writes the question into the address, without a step in the history for each letter. */
export function writeAddress(question: Readonly<Record<string, string>>): void {
  const text = new URLSearchParams(question).toString();
  if (text !== location.hash.slice(1)) history.replaceState(null, "", `#${text}`);
}

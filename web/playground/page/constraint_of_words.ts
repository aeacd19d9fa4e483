/**
 * What people write as the words that a text must hold, as a constraint: words with commas between them are phrases, which are all to
 * be held, in any order; what has quotes or brackets is a constraint already.
 */
export function constraintOfWords(text: string): string | readonly string[] {
  if (/["(){}[\]]/.test(text)) return text;
  return text.split(",").map((word) => word.trim()).filter((word) => word !== "");
}

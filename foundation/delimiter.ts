/** Possible delimiters between the cells of a table. */
const DELIMITERS = [",", ";", "\t", "|"];

/** The delimiter of a table: the most frequent one in its first line that is not empty, outside quotation marks. */
export function delimiterOf(text: string): string {
  const line = text.trimStart().split(/[\r\n]/, 1)[0]!.replaceAll(/"(?:[^"]|"")*"/g, "");
  const counted = DELIMITERS.map((delimiter) => ({ delimiter, count: line.split(delimiter).length }));
  return counted.reduce((best, one) => one.count > best.count ? one : best).delimiter;
}

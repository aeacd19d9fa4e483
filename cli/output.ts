import { exit } from "./exit.ts";
import { styleText } from "node:util";
import { withVisibleMarks } from "../foundation/bidi.ts";
import { tableText } from "../foundation/text.ts";

export { bytesText, durationText, factsText, timeText } from "../foundation/format.ts";

/** Writes text to standard output: data. Everything else goes to standard error. */
export function print(text: string): void {
  write(Deno.stdout, `${text}\n`);
}

/** Writes a note to standard error. */
export function note(text: string): void {
  write(Deno.stderr, `${text}\n`);
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    // `deno task runs | head` closes the pipe, which is not an error.
    if (error instanceof Deno.errors.BrokenPipe) exit(0);
    throw error;
  }
}

let answered = false;

/** Whether a JSON document was written: there is to be one alone. */
export function hasAnswered(): boolean {
  return answered;
}

/** Writes a JSON document to standard output. */
export function printJson(value: unknown): void {
  answered = true;
  print(JSON.stringify(value, null, 2));
}

/** Whether standard error is a terminal that shows colours and moving lines. */
export function isTerminal(): boolean {
  return Deno.stderr.isTerminal() && !Deno.env.get("CI") && Deno.env.get("TERM") !== "dumb";
}

/** Colours a text when standard output is a terminal and NO_COLOR is not set. */
export function paint(style: "bold" | "dim" | "red" | "green" | "yellow" | "cyan", text: string): string {
  const coloured = Deno.stdout.isTerminal() && Deno.stderr.isTerminal() && !Deno.noColor;
  return coloured ? styleText(style, text, { validateStream: false }) : text;
}

/** A table without borders, its head in bold, columns two spaces apart. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return tableText(head.map((title) => paint("bold", clean(title))), rows.map((row) => row.map(clean)));
}

/** Text from outside (names, errors, log lines) without control characters that would move the terminal's cursor or turn its text. */
export function clean(text: string): string {
  const visible = withVisibleMarks(text);
  // deno-lint-ignore no-control-regex -- control characters are what is taken out; colours may stay
  return visible.replaceAll(/\u001b(?!\[[0-9;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g, "�");
}

/** What lies in a store's folder and is not the store's own, a line each. */
export function strangersText(strangers: readonly { readonly path: string; readonly why: string }[]): string {
  const shown = strangers.slice(0, 20).map(({ path, why }) =>
    clean(`left alone, not the store's own: ${path} (${why})`)
  );
  return [...shown, ...strangers.length > 20 ? [`left alone: ${strangers.length - 20} more`] : []].join("\n");
}

/** A text as one word of a shell's command line. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

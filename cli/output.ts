import { styleText } from "node:util";
import type { JsonObject } from "../foundation/canonical.ts";
import { inlineText, tableText, valueText } from "../foundation/text.ts";

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
    // `deno task runs | head` closes the pipe: nobody reads on, which is no fault.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw error;
  }
}

/** Writes a JSON document to standard output. */
export function printJson(value: unknown): void {
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
  return tableText(head.map((title) => paint("bold", title)), rows.map((row) => row.map(clean)));
}

/** Text from outside (names, errors, log lines) without control characters that would move the terminal's cursor. */
export function clean(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is taken out; colours may stay
  return text.replaceAll(/\u001b(?!\[[0-9;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g, "�");
}

/** A number of bytes for people: 12.3 MB. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** A duration in seconds for people: 0.25 s, 12 s, 3 min 5 s, 2 h 4 min. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** A moment, in seconds since 1970, as local text. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** What an artifact's facts tell in a few words: its value if it is short, or shape and counts. */
export function factsText(facts: JsonObject): string {
  if ("value" in facts) return inlineText(facts.value!) ?? "";
  const text = Object.entries(facts).map(([name, value]) => `${name} ${valueText(value)}`).join(", ");
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

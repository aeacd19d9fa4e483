/**
 * Golden files: what the code made when somebody last looked at it, kept in `tests/golden/kept/`. A test of them
 * stands in `tests/golden/` and calls {@link checkGolden}; `deno task golden` writes them all anew, for the change
 * to be read and committed.
 */
import assert from "node:assert/strict";

const FOLDER = new URL("./golden/kept/", import.meta.url);

/** Whether files are written instead of compared. */
const renews = Deno.env.get("RETORT_RENEW_GOLDEN") === "1";

/**
 * Compares a text with the file that is kept of it.
 * @param name of the file, with its ending; `/` for folders
 * @param alike whether a text that differs from the kept one will do: for numbers that depend on the machine
 */
export function checkGolden(
  name: string,
  text: string,
  alike: (text: string, kept: string) => boolean = () => false,
): void {
  const file = new URL(name, FOLDER);
  const actual = text.endsWith("\n") ? text : `${text}\n`;
  if (renews) {
    Deno.mkdirSync(new URL(".", file), { recursive: true });
    if (read(file) !== actual) Deno.writeTextFileSync(file, actual);
    return;
  }
  const kept = read(file);
  if (kept === actual || (kept !== undefined && alike(actual, kept))) return;
  assert.fail(
    kept === undefined
      ? `There is no golden file ${name}. \`deno task golden\` writes it.`
      : `${name} differs from what is kept, ${difference(actual, kept)}\n` +
        "If that is meant: `deno task golden`, and look at the difference before you commit it.",
  );
}

function read(file: URL): string | undefined {
  try {
    // Git may have checked it out with the line ends of the system.
    return Deno.readTextFileSync(file).replaceAll("\r\n", "\n");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function difference(actual: string, kept: string): string {
  const [now, before] = [actual.split("\n"), kept.split("\n")];
  const line = before.findIndex((text, i) => text !== now[i]);
  const at = line < 0 ? before.length : line;
  return `first in line ${at + 1}:\n  kept  ${before[at] ?? "(end)"}\n  now   ${now[at] ?? "(end)"}`;
}

/** The sha256 of a text or of bytes, in hex. */
export async function hashOf(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex();
}

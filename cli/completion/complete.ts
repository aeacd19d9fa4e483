/**
 * What shells ask while somebody types: `complete.ts LINE` prints the word that is being typed, then a line for each word that may
 * stand there, with a tabulator before what it is. Imports next to nothing, reads only, and says nothing of what fails.
 */
import process from "node:process";
import { shellWords } from "./shell_words.ts";
import { StoredNames } from "./stored.ts";
import { suggestions } from "./suggest.ts";
import { COMMAND_WORDS } from "./words.ts";

/** The words after the name of the program: `retort`, or `deno` with its options and `task`. */
function wordsOf([program, ...rest]: readonly string[]): readonly string[] | undefined {
  if (program !== "deno") return rest;
  const at = rest.findIndex((word) => !word.startsWith("-"));
  return rest[at] === "task" && at < rest.length - 1 ? rest.slice(at + 1) : undefined;
}

function lines(line: string): string[] {
  const all = shellWords(line);
  const typed = all.at(-1)!;
  const words = wordsOf(all);
  if (words === undefined) return [typed];
  const flat = (text: string) => text.replaceAll(/[\t\r\n]+/g, " ");
  const found = suggestions(words, COMMAND_WORDS, new StoredNames(words, process.cwd()))
    // A name that needs another line cannot be typed.
    .filter(({ word }) => !/[\t\r\n]/.test(word));
  return [typed, ...found.map(({ word, about }) => `${word}\t${flat(about)}`)];
}

try {
  console.log(lines(process.argv[2] ?? "").join("\n"));
} catch {
  // Nothing is offered.
}

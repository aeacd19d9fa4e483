import assert from "node:assert/strict";
import { sourcesIn } from "../architecture/modules.ts";
import { ROOT } from "../command.ts";
import { pages } from "./code_blocks.ts";

const PAGE = "docs/glossary.md";
const GLOSSARY = Deno.readTextFileSync(`${ROOT}/${PAGE}`);
const TERMS = [...GLOSSARY.matchAll(/^### (.*)$/gm)].map((match) => match[1]!);
const ROOMS = [
  "mod.ts",
  "circuits",
  "kernels",
  "runner",
  "stages",
  "teachers",
  "datasets",
  "foundation",
  "web",
  "cli",
];

const texts = new Map(
  [...pages(), "CONTRIBUTING.md"].map((file) => [file, Deno.readTextFileSync(`${ROOT}/${file}`)]),
);
for (const file of ROOMS.flatMap((room) => sourcesIn(room))) {
  texts.set(file, Deno.readTextFileSync(`${ROOT}/${file}`));
}

/** Where a word stands, in any form of its end that `ends` allows, in whatever case and however lines break. */
function placesOf(word: string, ends: string): string[] {
  const words = word.split(" ").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![\\w-])${words.join("[\\s*/]+")}${ends}(?![\\w-])`, "i");
  return [...texts].filter(([file, text]) => file !== PAGE && pattern.test(text)).map(([file]) => file);
}

Deno.test("every term of the glossary is defined once, in a few sentences, and used", () => {
  assert.ok(TERMS.length > 70, `${TERMS.length} terms`);
  assert.deepEqual(TERMS.filter((term, i) => TERMS.indexOf(term) !== i), []);
  for (const part of GLOSSARY.split("\n### ").slice(1)) {
    const [term, ...rest] = part.split("\n");
    const text = rest.join(" ").split(/ ## /)[0]!.trim();
    assert.ok(text.length > 15 && text.length < 420, `${term}: ${text.length} characters`);
  }
  assert.deepEqual(TERMS.filter((term) => placesOf(term, "(?:e?s)?").length === 0), [], "used nowhere");
  assert.equal(placesOf("flux capacitor", "").length, 0);
});

Deno.test("words that the glossary gives up are in no page and in no comment or message", () => {
  const rows = GLOSSARY.split("\n## Words that are not used\n")[1]!.split("\n")
    .filter((line) => line.startsWith("| ")).slice(2);
  const words = rows.flatMap((row) => row.split("|")[1]!.split(",").map((word) => word.trim()));
  assert.ok(words.length >= 6, words.join());
  assert.deepEqual(words.flatMap((word) => placesOf(word, "").map((file) => `${file}: ${word}`)), []);
  assert.ok(placesOf("certified", "").length > 0, "the test sees the words");
});

/** The tutorials: what a reader writes and changes, without what is run. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { ROOT } from "../command.ts";
import { type CodeBlock, codeBlocksOf } from "./code_blocks.ts";

/** Paths of all tutorials. */
export const TUTORIALS: readonly string[] = [...Deno.readDirSync(`${ROOT}/docs/tutorials`)]
  .map(({ name }) => `docs/tutorials/${name}`).sort();

/** The file that the paragraph before a block says to save it as. */
function savedAs({ file, line }: CodeBlock): string | undefined {
  const before = Deno.readTextFileSync(`${ROOT}/${file}`).split("\n").slice(0, line - 2).join("\n").trimEnd();
  return /[Ss]ave (?:it|this) as `([^`]+)`[^`]*:$/.exec(before.split("\n\n").at(-1)!)?.[1];
}

/** The file that the nearest paragraph above a change names. */
function editedFile({ file, line }: CodeBlock): string {
  const before = Deno.readTextFileSync(`${ROOT}/${file}`).split("\n").slice(0, line - 2).join("\n");
  return [...before.matchAll(/[Ii]n `([^`]+)`:\n/g)].at(-1)![1]!;
}

/** Makes a change that a page shows: lines that go, lines that come, lines that say where. */
function edit(path: string, { file, line, code }: CodeBlock): void {
  const lines = code.trimEnd().split("\n");
  const side = (mark: string) =>
    lines.filter((text) => !text.startsWith(mark)).map((text) => `${text.slice(1)}\n`).join("");
  const text = Deno.readTextFileSync(path);
  assert.equal(
    text.split(side("+")).length,
    2,
    `${file}:${line}: ${path} has these lines once\n${side("+")}`,
  );
  Deno.writeTextFileSync(path, text.replace(side("+"), () => side("-")));
}

/** Saves or changes the file of a reader's folder that a block says; false for blocks that say something else. */
export function followBlock(folder: string, block: CodeBlock): boolean {
  const path = savedAs(block);
  if (path !== undefined) {
    Deno.mkdirSync(dirname(join(folder, path)), { recursive: true });
    Deno.writeTextFileSync(join(folder, path), block.code);
  } else if (block.language === "diff") edit(join(folder, editedFile(block)), block);
  else return false;
  return true;
}

/** Writes what readers have in the end, a folder a tutorial, and returns all programs in them. */
export function writeEnds(folder: string): string[] {
  return TUTORIALS.flatMap((tutorial) => {
    const end = join(folder, tutorial), blocks = codeBlocksOf(tutorial);
    Deno.mkdirSync(end, { recursive: true });
    const [, template = "plain"] = /--template (\w+)/.exec(blocks.map(({ code }) => code).join("\n")) ?? [];
    for (const path of programsIn(join(ROOT, "templates", template))) {
      Deno.mkdirSync(dirname(join(end, path)), { recursive: true });
      Deno.copyFileSync(join(ROOT, "templates", template, path), join(end, path));
    }
    for (const block of blocks) followBlock(end, block);
    return programsIn(end).map((path) => join(end, path));
  });
}

/** Paths of the TypeScript files below a folder. */
function programsIn(folder: string, under = ""): string[] {
  return [...Deno.readDirSync(join(folder, under))].flatMap((entry) => {
    const path = join(under, entry.name);
    return entry.isDirectory ? programsIn(folder, path) : path.endsWith(".ts") ? [path] : [];
  });
}

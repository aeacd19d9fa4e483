import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ROOT } from "../command.ts";
import { codeBlocksOf } from "./code_blocks.ts";

const PAGE = "CONTRIBUTING.md";

/** A thing that the page shows how to make. */
interface Shown {
  readonly title: string;
  /** By path: a source and its test. */
  readonly files: Map<string, string>;
  /** Lines of registries, each with the line that it stands after. */
  readonly lines: { readonly file: string; readonly after: string; readonly line: string }[];
}

/** What the page makes, a section each. */
function shown(): Shown[] {
  const page = Deno.readTextFileSync(`${ROOT}/${PAGE}`).split("\n");
  const sections = new Map<string, Shown>();
  for (const { line, language, code } of codeBlocksOf(PAGE)) {
    const title = page.slice(0, line).findLast((text) => text.startsWith("### "))!.slice(4);
    const section: Shown = sections.get(title) ?? { title, files: new Map(), lines: [] };
    sections.set(title, section);
    const [, path] = /^(?:\/\/|#) (\S+)\n/.exec(code) ?? [];
    assert.ok(path !== undefined, `${PAGE}:${line}: the block begins with the path of its file`);
    if (language !== "diff") section.files.set(path, code.slice(code.indexOf("\n") + 1));
    else {
      const [, after, added, rest] = code.split("\n");
      assert.ok(
        after!.startsWith(" ") && added!.startsWith("+") && rest === "",
        `${PAGE}:${line}: one line is added`,
      );
      section.lines.push({ file: path, after: after!.slice(1), line: added!.slice(1) });
    }
  }
  return [...sections.values()];
}

/** Copies what the project needs to run. */
function copyProject(to: string): void {
  const copy = (path: string) => {
    const from = `${ROOT}/${path}`;
    if (Deno.statSync(from).isFile) return Deno.copyFileSync(from, `${to}/${path}`);
    Deno.mkdirSync(`${to}/${path}`);
    for (const { name } of Deno.readDirSync(from)) if (!name.startsWith(".")) copy(`${path}/${name}`);
  };
  for (const { name, isDirectory } of Deno.readDirSync(ROOT)) {
    if (
      !name.startsWith(".") && name !== "node_modules" && (isDirectory || /\.(ts|json|lock|md)$/.test(name))
    ) copy(name);
  }
}

async function deno(folder: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, `deno ${args.join(" ")}\n${decoder.decode(stdout)}\n${decoder.decode(stderr)}`);
}

Deno.test("every X of CONTRIBUTING.md is one file, one test and at most one line, and works as the page shows it", async () => {
  const all = shown();
  const kinds = Deno.readTextFileSync(`${ROOT}/${PAGE}`).split("| X ")[1]!.split("\n\n")[0]!.split("\n")
    .slice(
      2,
    )
    .map((row) => row.split("|")[1]!.trim());
  assert.deepEqual(all.map(({ title }) => title.replace(/^An? /, "")), kinds, "the table and the sections");
  const folder = Deno.makeTempDirSync({ prefix: "retort-contributing-" });
  try {
    copyProject(folder);
    const written: string[] = [];
    for (const { title, files, lines } of all) {
      const tests = [...files.keys()].filter((path) => path.startsWith("tests/"));
      assert.deepEqual([tests.length, files.size - tests.length], [1, 1], `${title}: a file and a test`);
      assert.ok(lines.length <= 1, `${title}: at most one line`);
      for (const [path, code] of files) {
        Deno.mkdirSync(`${folder}/${dirname(path)}`, { recursive: true });
        Deno.writeTextFileSync(`${folder}/${path}`, code, { createNew: true });
        written.push(path);
      }
      for (const { file, after, line } of lines) {
        const text = Deno.readTextFileSync(`${folder}/${file}`);
        assert.equal(text.split(`\n${after}\n`).length, 2, `${title}: ${file} has the line ${after}`);
        Deno.writeTextFileSync(
          `${folder}/${file}`,
          text.replace(`\n${after}\n`, () => `\n${after}\n${line}\n`),
        );
        written.push(file);
      }
    }
    const sources = written.filter((path) => path.endsWith(".ts"));
    await deno(folder, "fmt", "--check", "--quiet", ...sources);
    await deno(folder, "lint", "--quiet", ...sources);
    await deno(folder, "check", "--quiet", ...sources);
    const tests = sources.filter((path) => path.startsWith("tests/"));
    await deno(folder, "test", "--allow-all", "--no-check", "tests/architecture_test.ts", ...tests);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

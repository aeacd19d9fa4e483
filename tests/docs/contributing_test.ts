import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ROOT } from "../command.ts";
import { codeBlocksOf } from "./code_blocks.ts";

const PAGE = "CONTRIBUTING.md";

/** A thing that the page shows how to make. */
interface Shown {
  readonly title: string;
  /** Sources and tests by path. */
  readonly files: Map<string, string>;
  /** What is put into files that are there, with the line that it stands after. */
  readonly additions: { readonly file: string; readonly after: string; readonly lines: readonly string[] }[];
}

/** Of these there are two sides, the mathematics and devices, with a file and a line each. */
const TWO_SIDED = ["leaf family", "update rule"];

/** What the page makes, a section each. */
function shown(): Shown[] {
  const page = Deno.readTextFileSync(`${ROOT}/${PAGE}`).split("\n");
  const sections = new Map<string, Shown>();
  for (const { line, language, code } of codeBlocksOf(PAGE)) {
    const title = page.slice(0, line).findLast((text) => text.startsWith("### "))!.slice(4);
    const section: Shown = sections.get(title) ?? { title, files: new Map(), additions: [] };
    sections.set(title, section);
    const [, path] = /^(?:\/\/|#) (\S+)\n/.exec(code) ?? [];
    assert.ok(path !== undefined, `${PAGE}:${line}: the block begins with the path of its file`);
    if (language !== "diff") section.files.set(path, code.slice(code.indexOf("\n") + 1));
    else {
      const [, after, ...added] = code.trimEnd().split("\n");
      assert.ok(after!.startsWith(" ") && added.every((text) => text.startsWith("+")), `${PAGE}:${line}`);
      section.additions.push({
        file: path,
        after: after!.slice(1),
        lines: added.map((text) => text.slice(1)),
      });
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

Deno.test("every X of CONTRIBUTING.md is one file, one test and at most one line a side, and works as the page shows it", async () => {
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
    for (const { title, files, additions } of all) {
      const sides = TWO_SIDED.some((kind) => title.endsWith(kind)) ? 2 : 1;
      const isTest = (path: string) => path.startsWith("tests/");
      const registries = additions.filter(({ file }) => !isTest(file));
      const tests = [...files.keys(), ...additions.map(({ file }) => file)].filter(isTest);
      assert.equal(tests.length, 1, `${title}: one test`);
      assert.equal(
        [...files.keys()].filter((path) => !isTest(path)).length,
        sides,
        `${title}: a file a side`,
      );
      assert.ok(registries.length <= sides, `${title}: at most one registry a side`);
      assert.ok(registries.every(({ lines }) => lines.length === 1), `${title}: a line in each`);
      for (const [path, code] of files) {
        Deno.mkdirSync(`${folder}/${dirname(path)}`, { recursive: true });
        Deno.writeTextFileSync(`${folder}/${path}`, code, { createNew: true });
        written.push(path);
      }
      for (const { file, after, lines } of additions) {
        const text = Deno.readTextFileSync(`${folder}/${file}`);
        assert.equal(text.split(`\n${after}\n`).length, 2, `${title}: ${file} has the line ${after}`);
        const more = [after, ...lines].join("\n");
        Deno.writeTextFileSync(`${folder}/${file}`, text.replace(`\n${after}\n`, () => `\n${more}\n`));
        written.push(file);
      }
    }
    const sources = written.filter((path) => path.endsWith(".ts"));
    await deno(folder, "fmt", "--check", "--quiet", ...sources);
    await deno(folder, "lint", "--quiet", ...sources);
    await deno(folder, "check", "--quiet", ...sources);
    const tests = sources.filter((path) => path.startsWith("tests/") && path.endsWith("_test.ts"));
    // The suites of all families and of all steps take in the new ones.
    const suites = [
      "tests/architecture_test.ts",
      "tests/circuits/families_test.ts",
      "tests/circuits/steps_test.ts",
    ];
    await deno(folder, "test", "--allow-all", "--no-check", ...suites, ...tests);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

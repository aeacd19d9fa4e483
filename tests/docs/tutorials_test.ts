/** Follows every tutorial in an empty folder: writes what it says to write, runs what it says to run, compares the output. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { Folder, ROOT } from "../command.ts";
import { type CodeBlock, codeBlocksOf, deno } from "./code_blocks.ts";

const TUTORIALS = [...Deno.readDirSync(`${ROOT}/docs/tutorials`)].map(({ name }) => `docs/tutorials/${name}`)
  .sort();

/**
 * Programs of the tutorials' readers: `npx @retort/retort` is this repository's command, `deno` this Deno, and what
 * `deno add` would write is what the command writes into new projects.
 */
function writePrograms(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
  const own =
    `"${Deno.execPath()}" run --quiet --allow-all --config "${ROOT}/deno.json" "${ROOT}/cli/main.ts"`;
  const write = (name: string, text: string) =>
    Deno.writeTextFileSync(join(folder, name), `#!/bin/sh\n${text}`, { mode: 0o755 });
  write(
    "npx",
    `[ "$1" = --yes ] && shift\n[ "$1" = @retort/retort ] || { echo "npx: $1?" >&2; exit 1; }\nshift\nexec ${own} "$@"\n`,
  );
  write(
    "deno",
    `if [ "$*" = "add retort@npm:@retort/retort" ]; then\n` +
      `  ${own} init .made > /dev/null && mv .made/deno.json . && rm -r .made; exit\nfi\n` +
      `exec "${Deno.execPath()}" "$@"\n`,
  );
}

/** Paths of the TypeScript files below a folder. */
function programsIn(folder: string, under = ""): string[] {
  return [...Deno.readDirSync(join(folder, under))].filter(({ name }) => name !== ".retort").flatMap(
    (entry) => {
      const path = join(under, entry.name);
      return entry.isDirectory ? programsIn(folder, path) : path.endsWith(".ts") ? [path] : [];
    },
  );
}

/** The file that the paragraph before a block says to save it as. */
function fileOf({ file, line }: CodeBlock): string | undefined {
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

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[+-]\d+)?`;

/** Whether a line of output is one that the page shows: `…` stands for anything, figures may be rounded otherwise. */
function isShown(shown: string, line: string): boolean {
  const parts = shown.split(new RegExp(`(${NUMBER}|…)`));
  const pattern = parts.map((part, i) =>
    i % 2 === 0 ? part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&") : part === "…" ? ".*" : `(${NUMBER})`
  ).join("");
  const found = new RegExp(`^${pattern}$`).exec(line.trimEnd());
  const told = parts.filter((part, i) => i % 2 === 1 && part !== "…").map(Number);
  return found !== null &&
    told.every((x, i) => Math.abs(x - Number(found[i + 1])) <= 0.02 * Math.abs(x) + 1e-9);
}

/** What the readers have in the end, a folder a tutorial. */
const ends = new Folder();
globalThis.addEventListener("unload", () => ends[Symbol.dispose]());

for (const tutorial of TUTORIALS) {
  Deno.test(`${tutorial} can be followed from an empty folder, and shows what comes of it`, async () => {
    using folder = new Folder();
    const programs = join(folder.path, "programs");
    writePrograms(programs);
    let at = join(folder.path, "reader");
    Deno.mkdirSync(at);
    let output: string[] = [];
    let ran = 0;
    for (const block of codeBlocksOf(tutorial)) {
      const where = `${block.file}:${block.line}`;
      const path = fileOf(block);
      if (path !== undefined) {
        Deno.mkdirSync(dirname(join(at, path)), { recursive: true });
        Deno.writeTextFileSync(join(at, path), block.code);
      } else if (block.language === "diff") {
        edit(join(at, editedFile(block)), block);
      } else if (block.language === "sh") {
        const { code, stdout, stderr } = await new Deno.Command("bash", {
          args: ["-e", "-c", `${block.code}\npwd > "${folder.path}/pwd"`],
          cwd: at,
          env: {
            PATH: `${programs}:${Deno.env.get("PATH")}`,
            NO_COLOR: "1",
            CI: "true",
            RETORT_STORE: "",
            INIT_CWD: "",
          },
          stdin: "null",
        }).output();
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
        assert.equal(code, 0, `${where}: ${text(stdout)}${text(stderr)}`);
        output = `${text(stdout)}${text(stderr)}`.split("\n");
        at = Deno.readTextFileSync(`${folder.path}/pwd`).trim();
        ran++;
      } else {
        assert.equal(block.language, "text", `${where}: a block is saved, run, or output`);
        for (const line of block.code.trimEnd().split("\n")) {
          const place = output.findIndex((one) => isShown(line, one));
          assert.ok(place >= 0, `${where}: ${line}\nis not in\n${output.join("\n")}`);
        }
      }
    }
    assert.ok(ran >= 3, "the tutorial has commands");
    for (const path of programsIn(at)) {
      Deno.mkdirSync(dirname(join(ends.path, tutorial, path)), { recursive: true });
      Deno.copyFileSync(join(at, path), join(ends.path, tutorial, path));
    }
  });
}

Deno.test("the programs of all tutorials that ask circuits or declare stages type-check", async () => {
  // What imports Retort's stages takes long to check, and has just run.
  const paths = programsIn(ends.path).filter((path) =>
    !Deno.readTextFileSync(join(ends.path, path)).includes('"retort/stages')
  );
  assert.ok(paths.length > TUTORIALS.length);
  const { code, stderr } = await deno(
    ["check", "--quiet", "--config", `${ROOT}/deno.json`, ...paths.map((path) => join(ends.path, path))],
  );
  assert.equal(code, 0, stderr);
});

Deno.test("lines of output are compared word by word, figures by their size", () => {
  assert.ok(isShown("done in … s: 3 ran", "done in 0.41 s: 3 ran"));
  assert.ok(isShown("perplexity 10.02, 5 %", "perplexity 10.1, 5 %"));
  assert.ok(!isShown("perplexity 10.02", "perplexity 11"));
  assert.ok(!isShown("3 ran", "3 ran, 2 cached") && !isShown("a.b", "acb"));
});

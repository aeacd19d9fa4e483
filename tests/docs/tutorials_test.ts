/** Follows every tutorial in an empty folder: writes what it says to write, runs what it says to run, compares the output. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Folder, ROOT } from "../command.ts";
import { codeBlocksOf } from "./code_blocks.ts";
import { followBlock, TUTORIALS } from "./tutorial.ts";

/**
 * Programs of the tutorials' readers: `npx @retort/retort` is this repository's command, `deno` this Deno, and what
 * `deno add` would write is what the command writes into new projects.
 */
function writePrograms(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
  const own =
    `"${Deno.execPath()}" run --quiet --allow-all --config "${ROOT}/deno.json" "${ROOT}/cli/main.ts"`;
  const program = (name: string, text: string) =>
    Deno.writeTextFileSync(join(folder, name), `#!/bin/sh\n${text}`, { mode: 0o755 });
  program(
    "npx",
    `[ "$1" = --yes ] && shift\n[ "$1" = @retort/retort ] || { echo "npx: $1?" >&2; exit 1; }\nshift\nexec ${own} "$@"\n`,
  );
  program(
    "deno",
    // Types of templates are checked with those of all files, and those of what readers write in code_blocks_test.ts.
    `[ "$*" = "task test" ] && set -- task test --no-check\n` +
      `if [ "$*" = "add retort@npm:@retort/retort" ]; then\n` +
      `  ${own} init .made > /dev/null && mv .made/deno.json . && rm -r .made; exit\nfi\n` +
      `exec "${Deno.execPath()}" "$@"\n`,
  );
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
      if (followBlock(at, block)) continue;
      if (block.language === "sh") {
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
  });
}

Deno.test("lines of output are compared word by word, figures by their size", () => {
  assert.ok(isShown("done in … s: 3 ran", "done in 0.41 s: 3 ran"));
  assert.ok(isShown("perplexity 10.02, 5 %", "perplexity 10.1, 5 %"));
  assert.ok(!isShown("perplexity 10.02", "perplexity 11"));
  assert.ok(!isShown("3 ran", "3 ran, 2 cached") && !isShown("a.b", "acb"));
});

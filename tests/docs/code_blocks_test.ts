import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { ROOT } from "../command.ts";
import { type CodeBlock, codeBlocksOf, deno, pages } from "./code_blocks.ts";
import { TUTORIALS, writeEnds } from "./tutorial.ts";

const ALL = pages().flatMap(codeBlocksOf);
const TYPESCRIPT = ALL.filter((block) => block.language === "ts");
const PIPELINES = TYPESCRIPT.filter((block) => block.code.includes("export default definePipeline("));

/** Writes blocks as files, as if they lay in `pipelines/`, and calls `action` with their paths. */
async function asFiles(
  blocks: readonly CodeBlock[],
  action: (paths: readonly string[], folder: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "retort-docs-" });
  try {
    const paths = blocks.map((block, i) => {
      const path = `${folder}/block_${i}.ts`;
      Deno.writeTextFileSync(
        path,
        block.code.replaceAll(/ from "\.\.\//g, ` from "${pathToFileURL(`${ROOT}/`)}`),
      );
      return path;
    });
    await action(paths, folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("code blocks of the documentation that are TypeScript are plain `ts` blocks", () => {
  const odd = ALL.filter(({ language }) =>
    /^(ts|tsx|typescript|js|javascript)\b/i.test(language) && language !== "ts"
  );
  assert.deepEqual(
    odd.map((block) => `${block.file}:${block.line - 1}: \`\`\`${block.language}`),
    [],
    "a block that is not checked may be wrong: write ```ts",
  );
  assert.ok(TYPESCRIPT.length >= 8, "the test sees the blocks");
});

Deno.test("code blocks of the documentation type-check, each on its own, and what readers of the tutorials have in the end", async () => {
  await asFiles(TYPESCRIPT, async (paths, folder) => {
    const ends = writeEnds(`${folder}/tutorials`);
    assert.ok(ends.length > TUTORIALS.length);
    const all = [...paths, ...ends];
    const { code, stderr } = await deno(["check", "--quiet", "--config", `${ROOT}/deno.json`, ...all]);
    const placed = stderr.replaceAll(
      /(?:file:\/\/)?[^\s"'(]*\/block_(\d+)\.ts(?::(\d+)(:\d+)?)?/g,
      (_, i: string, line: string | undefined, column: string | undefined) => {
        const block = TYPESCRIPT[Number(i)]!;
        return `${block.file}:${block.line + Number(line ?? 1) - 1}${column ?? ""}`;
      },
    );
    assert.equal(code, 0, placed);
  });
});

for (const block of PIPELINES) {
  Deno.test(`the pipeline at ${block.file}:${block.line} runs, and then comes from the store`, async () => {
    await asFiles([block], async ([path], folder) => {
      const run = async () => {
        const { code, stdout, stderr } = await deno([
          ...taskArguments("run"),
          path!,
          ...["--store", `${folder}/store`, "--jobs", "0", "--json"],
        ]);
        assert.equal(code, 0, `${block.file}:${block.line}: ${stderr}`);
        return JSON.parse(stdout) as { status: string; nodes: { node: string; state: string }[] };
      };
      const first = await run();
      assert.equal(first.status, "done");
      assert.deepEqual(new Set(first.nodes.map((node) => node.state)), new Set(["ran"]));
      const second = await run();
      assert.deepEqual(new Set(second.nodes.map((node) => node.state)), new Set(["cached"]));
    });
  });
}

Deno.test("the pages show pipelines that can be run", () => {
  assert.ok(PIPELINES.some((block) => block.file === "docs/pipelines.md"));
});

/** The arguments of `deno` that a task of deno.json stands for. */
function taskArguments(name: string): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    tasks: Record<string, string>;
  };
  return tasks[name]!.split(" ").slice(1);
}

import assert from "node:assert/strict";
import { taskArguments } from "../command.ts";
import { codeBlocksOf } from "./code_blocks.ts";

/** Pages whose first pipeline is the file that the commands below it name. */
const PAGES = [
  "docs/running.md",
  "docs/growing.md",
  "docs/accepting.md",
  "docs/temporary.md",
  "docs/shards.md",
];

/** The words of a shell's line; what stands behind ` #` is a comment. */
function words(line: string): string[] {
  return [...line.replace(/\s#.*$/, "").matchAll(/'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2]!);
}

for (const page of PAGES) {
  Deno.test(`the commands of ${page} work in their order`, async () => {
    const folder = Deno.makeTempDirSync({ prefix: "retort-docs-" });
    try {
      for (const name of ["pipelines", "profiles"]) Deno.mkdirSync(`${folder}/${name}`);
      let ran = 0;
      for (const block of codeBlocksOf(page)) {
        if (block.language === "ts" && block.code.includes("export default definePipeline(")) {
          const name = /definePipeline\(\{\s+name: "(\w+)"/.exec(block.code)![1]!;
          Deno.writeTextFileSync(`${folder}/pipelines/${name}.ts`, block.code);
        }
        if (block.language === "json") Deno.writeTextFileSync(`${folder}/profiles/laptop.json`, block.code);
        if (block.language !== "sh") continue;
        for (const line of block.code.trim().split("\n")) {
          const [deno, task, command, ...args] = words(line);
          assert.deepEqual([deno, task], ["deno", "task"], `${page}: ${line}`);
          const { code, stderr } = await new Deno.Command(Deno.execPath(), {
            args: taskArguments(command!, args),
            cwd: folder,
            env: { NO_COLOR: "1", INIT_CWD: folder, RETORT_STORE: `${folder}/store` },
            stdin: "null",
            stdout: "null",
            stderr: "piped",
          }).output();
          assert.equal(code, 0, `${page}: ${line}\n${new TextDecoder().decode(stderr)}`);
          ran++;
        }
      }
      assert.ok(ran > 0);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

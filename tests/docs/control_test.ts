import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { ROOT } from "../command.ts";
import { codeBlocksOf } from "./code_blocks.ts";

const BLOCKS = codeBlocksOf("docs/control.md");

Deno.test("examples of docs/control.md print what stands below them, and there is one of each constraint", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "retort-docs-control-" });
  const { log } = console;
  try {
    let compared = 0;
    for (const [i, block] of BLOCKS.entries()) {
      const below = BLOCKS[i + 1];
      if (block.language !== "ts" || below?.language !== "text") continue;
      const path = `${folder}/block_${i}.ts`;
      Deno.writeTextFileSync(
        path,
        block.code.replaceAll(/ from "\.\.\//g, ` from "${pathToFileURL(`${ROOT}/`)}`),
      );
      const printed: string[] = [];
      console.log = (...values: unknown[]) =>
        void printed.push(
          values.map((value) => typeof value === "string" ? value : Deno.inspect(value, { colors: false }))
            .join(" "),
        );
      await import(pathToFileURL(path).href);
      console.log = log;
      assert.equal(printed.join("\n"), below.code.trimEnd(), `${block.file}:${block.line}`);
      compared++;
    }
    assert.ok(compared >= 8, `${compared} examples`);
    const code = BLOCKS.filter(({ language }) => language === "ts").map((block) => block.code).join("\n");
    const constraints = [
      "phrase",
      "anyOf",
      "all",
      "not",
      "inOrder",
      "exactly",
      "atLeast",
      "atMost",
      "words",
      "matches",
    ];
    for (const name of [...constraints, "jsonSchema"]) assert.ok(code.includes(`${name}(`), name);
  } finally {
    console.log = log;
    Deno.removeSync(folder, { recursive: true });
  }
});

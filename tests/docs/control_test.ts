import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { ROOT } from "../command.ts";
import { accepts, all, encodeHmmFile, inOrder, not, tokenHmm, words } from "../../control/mod.ts";
import { randomNumbers } from "../control/brute_force.ts";
import { languageModel, PIECES } from "../teachers/tiny_language_model.ts";
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
    assert.ok(compared >= 9, `${compared} examples`);
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
      "word",
      "words",
      "matches",
    ];
    for (const name of [...constraints, "jsonSchema"]) assert.ok(code.includes(`${name}(`), name);
  } finally {
    console.log = log;
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the example of docs/control.md opens a language model in ONNX and a published HMM, and writes what is asked", async () => {
  const block = BLOCKS.find(({ code }) => code.includes("describeTeacher("))!;
  const folder = Deno.makeTempDirSync({ prefix: "retort-docs-control-" });
  const { log } = console;
  try {
    const { model, tokenizer } = await languageModel(true);
    Deno.writeFileSync(`${folder}/model.onnx`, model);
    Deno.writeTextFileSync(`${folder}/tokenizer.json`, tokenizer!);
    Deno.writeFileSync(`${folder}/hmm.safetensors`, encodeHmmFile(tokenHmm(randomNumbers(3, PIECES, 2))));
    Deno.writeTextFileSync(`${folder}/example.ts`, block.code);
    const { stories } = await import(pathToFileURL(`${folder}/example.ts`).href) as {
      stories(folder: string, longest: number, count: number): AsyncGenerator<string>;
    };
    const printed: unknown[] = [];
    console.log = (value: unknown) => void printed.push(value);
    const texts = await Array.fromAsync(stories(folder, 24, 20));
    console.log = log;
    assert.ok(printed.length === 1 && (printed[0] as number) > 0 && (printed[0] as number) < 1);
    assert.ok(texts.length === 20 && new Set(texts).size > 5, texts.join("; "));
    const { automaton } = all(inOrder(words(0, Infinity), "it"), words(2, 4), not("-"));
    for (const text of texts) {
      assert.ok(accepts(automaton, text) && /(?:seen|able).*it/.test(text), text);
    }
  } finally {
    console.log = log;
    Deno.removeSync(folder, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { Bundler } from "../../runner/bundle.ts";
import { markDeclarations } from "../../runner/declarative.ts";
import { Packages } from "../../runner/packages.ts";
import { readProject } from "../../runner/project.ts";
import { PipelineSession } from "../../runner/session.ts";
import { Folder, ROOT } from "../command.ts";
import { nodesIn } from "./letters.ts";

/** Two stages of one file, with a codec, a schema and a function each, and a pipeline. */
const MINE = `
import { defineCodec, definePipeline, defineStage, json, text } from "${ROOT}/mod.ts";
import { z } from "npm:zod@4.6.7";

const shared = { upper: z.boolean().default(true) };
const first = z.strictObject({ a: z.string() });
const second = first.extend({ b: z.number().min(1) }).partial();
export const firstCodec = json("first", first);
export const secondCodec = json("second", second);
const firstWord = () => "one";
const secondWord = () => "two";

export const one = defineStage({
  name: "mine.one",
  params: z.object({ ...shared, sources: z.array(z.string()).default([]) }),
  outputs: { value: firstCodec },
  sources: [],
  run: () => ({ value: { a: firstWord() } }),
});

export const two = defineStage({
  name: "mine.two",
  params: z.object({ ...shared, most: z.int().default(10) }),
  outputs: { value: secondCodec, text },
  resources: { time: 60 * 60 },
  run: () => ({ value: { b: 2 }, text: secondWord() }),
});

export default definePipeline({
  name: "mine",
  build: () => ({ one: one({}).value, two: two({}).value }),
});
`;

/** Fingerprints of the two stages of a file. */
async function digestsOf(
  bundler: Bundler,
  folder: string,
  text: string,
): Promise<[one: string, two: string]> {
  const file = `${folder}/mine.ts`;
  Deno.writeTextFileSync(file, text);
  const url = pathToFileURL(file).href;
  return [(await bundler.bundle(url, "one")).digest, (await bundler.bundle(url, "two")).digest];
}

Deno.test("stages of one file have fingerprints of their own; what the file does besides counts for both", async () => {
  using folder = new Folder();
  await using bundler = new Bundler(Packages.load(readProject(`${ROOT}/deno.json`)));
  const before = await digestsOf(bundler, folder.path, MINE);
  assert.notEqual(before[0], before[1]);
  const edits: readonly [from: string, to: string, one: boolean, two: boolean][] = [
    ['"one"', '"ONE"', true, false],
    ["b: 2 }", "b: 3 }", false, true],
    ['"two"', '"TWO"', false, true],
    ['json("first", first)', 'json("first", first, { version: 2 })', true, false],
    [".min(1)", ".min(2)", false, true],
    ["a: z.string()", "a: z.string().min(0)", true, true],
    ["default(true)", "default(false)", true, true],
    ["default(10)", "default(11)", false, true],
    // How nodes run is no part of a stage's code.
    ["time: 60 * 60", "time: 60 * 61", false, false],
    ['name: "mine",', 'name: "yours",', false, false],
    // Whatever may do something else counts.
    ["const firstWord", "globalThis.counted = 1;\nconst firstWord", true, true],
    ["const firstWord", "const log = console.log(1);\nconst firstWord", true, true],
    ["sources: [],", "sources: [].concat(console.log(1) ?? []),", true, true],
    [
      "outputs: { value: secondCodec, text }",
      "outputs: { value: secondCodec, text: (globalThis.b = text) }",
      true,
      true,
    ],
    ["resources: { time", "resources: { time: (() => 1)(), cores", true, true],
    ["const firstWord", "const tagged = String.raw`x`;\nconst firstWord", true, true],
  ];
  for (const [from, to, one, two] of edits) {
    assert.ok(MINE.includes(from), from);
    const after = await digestsOf(bundler, folder.path, MINE.replace(from, to));
    assert.deepEqual(after.map((digest, i) => digest !== before[i]), [one, two], `${from} -> ${to}`);
  }
});

Deno.test("a changed stage runs again, another one of its file does not", async () => {
  using folder = new Folder();
  const run = async (text: string, name: string) => {
    // A process imports a module once: each version is a file of its own name, as each run is a process of its own.
    const copy = `${folder.path}/${name}/mine.ts`;
    Deno.mkdirSync(`${folder.path}/${name}`);
    Deno.writeTextFileSync(copy, text);
    await using session = await PipelineSession.open({ file: copy, store: folder.store });
    const summary = await session.run({ jobs: 0, command: "test", stop: new AbortController().signal });
    return nodesIn(summary, "ran");
  };
  assert.deepEqual((await run(MINE, "a")).sort(), ["mine.one", "mine.two"]);
  assert.deepEqual(await run(MINE.replace('"one"', '"ONE"'), "b"), ["mine.one"]);
});

Deno.test("only what declares is marked: literals, functions, schemas and declarations, not calls of what is unknown", async () => {
  const kinds = { "retort": "declaring", "zod": "schema" } as const;
  const marked = async (code: string) =>
    (await markDeclarations(
      `import { z } from "zod"; import { defineStage } from "retort"; import { f } from "./f.ts";\n${code}`,
      (specifier) => kinds[specifier as keyof typeof kinds],
    )).includes("@__PURE__");
  for (
    const code of [
      "const a = defineStage({ run() { f(); } });",
      "export default defineStage({ sources: [new URL('./w.js', import.meta.url)] });",
      "const a = z.object({ ...f.shape }).default(() => f());",
      "const a = z.int(); const b = a.min(-1 + 2);",
      "let a = [...f, f.b, `${f}`, new Set([1])];",
    ]
  ) assert.ok(await marked(code), code);
  for (
    const code of [
      "const a = f();",
      "const a = f.object({});",
      "const a = defineStage(f());",
      "const a = z.object({ b: f() });",
      "const a = z.object({ b: z.string().default(f()) });",
      "const a = defineStage({ [f()]: 1 });",
      "const a = new f();",
      "const Set = f; const a = new f.Set([1]);",
      "const a = { b: c = 1 }; var c;",
      "let a = z.int(); a = f; const b = a.min(1);",
      "const a = defineStage(delete f.b);",
      "const a = [await f];",
      "z.config({});",
      "const { a } = defineStage({});",
    ]
  ) assert.ok(!(await marked(code)) || code.startsWith("let a"), code);
});

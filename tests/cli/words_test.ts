/** What a user is told: where an error is, all faults in one call, paths as they were meant. */
import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";

const HEAD = `import { z } from "zod";
import { definePipeline, defineSource, defineStage, json, text } from "retort";
const score = json("score", z.object({ zebra: z.number(), ant: z.number() }));
export const file = defineSource({ name: "file", params: z.object({ path: z.string() }),
  locate: ({ params }) => [{ name: "data.txt", path: params.path }] });
export const write = defineStage({ name: "write", outputs: { text }, run: () => ({ text: "a" }) });
export const read = defineStage({ name: "read", params: z.object({ times: z.int() }), inputs: { text }, outputs: { score },
  run: ({ params }) => ({ score: { zebra: params.times, ant: 1 } }) });
`;
/** The line after HEAD. */
const LINE = HEAD.split("\n").length;
const pipeline = (build: string) => `export default definePipeline({ name: "p", build() { ${build} } });\n`;

/** Pipeline files after HEAD, and what the command has to say; \`HERE\` is the file. */
const CASES: Record<string, [text: string, ...messages: (string | RegExp)[]]> = {
  "an error in build": [
    pipeline(`throw new Error("not so");`),
    `its build threw: not so\n  at HERE:${LINE}:`,
  ],
  "an error of the language in build": [
    `\n${pipeline("return (undefined as any).output;")}`,
    /Cannot read properties of undefined/,
    `\n  at HERE:${LINE + 1}:`,
  ],
  "an error in a function that build calls": [
    `function deep() { throw new RangeError("deep"); }\n${pipeline("deep(); return {};")}`,
    `its build threw: deep\n  at HERE:${LINE}:`,
  ],
  "an error after a wait": [
    `export default definePipeline({ name: "p", async build() {\n  await 0;\n  throw new Error("later"); } });`,
    `its build threw: later\n  at HERE:${LINE + 2}:`,
  ],
  "a build that awaits what never comes": [
    `export default definePipeline({ name: "p", async build() {\n  await new Promise(() => {});\n  return {}; } });`,
    "pipeline `p`: it awaits a promise that never settles: nothing is left to do that could settle it",
    "Look for a `new Promise` whose `resolve` is not called",
  ],
  "what is no error": [pipeline(`throw "a text";`), "its build threw: a text"],
  "an error at the top": [`throw new Error("at the top");`, `at the top\n  at HERE:${LINE}:`],
  "a stage called at the top": [
    `write({});`,
    "was called outside a build",
    `\n  at HERE:${LINE}:`,
  ],
  "a wrong declaration": [
    `defineStage({ name: "1", outputs: { text }, run: () => ({ text: "" }) });`,
    `HERE:${LINE}:`,
  ],
  "wrong syntax": [`export default definePipeline({ name: "p" `, /HERE:\d+:\d+/],
  "a module that is not there": [`import "./nowhere.ts";`, /nowhere\.ts/, /HERE:\d+:\d+/],
  "an error in a timer at the top": [
    `setTimeout(() => { throw new Error("soon"); });\nawait new Promise((resolve) => setTimeout(resolve, 300));`,
    `an error was thrown where nobody catches it: soon\n  at HERE:${LINE}:`,
  ],
  "a rejection that nobody waits for": [
    pipeline(`Promise.reject(new Error("lost")); return { a: write({}).text };`),
    `a promise that nobody waits for was rejected: lost\n  at HERE:${LINE}:`,
  ],
  "an exit at the top": [`Deno.exit(0);`, "Deno.exit(0) was called", `HERE:${LINE}:`],
  "an exit in build": [pipeline(`return Deno.exit(0);`), "Deno.exit(0) was called", `HERE:${LINE}:`],
  "faults of wiring and of parameters": [
    pipeline(`return { a: read({ txet: write({}).text } as any, { times: "x" as any }).score,
      b: read({ text: file({}, { path: 5 as any }).files } as any, { tims: 3 } as any).score };`),
    "unknown input `txet`",
    "parameter `times`",
    "expected `text`",
    "unknown parameter `tims`",
    "node of stage `file`: parameter `path`",
  ],
  "outputs that are none": [
    pipeline(`return { a: 1, b: { c: "x" }, d: write({}).text } as any;`),
    "output `a` of its build returned number",
    "output `b.c` of its build returned string",
  ],
};

for (const [what, [text, ...messages]] of Object.entries(CASES)) {
  Deno.test(`${what}: told with its place, exit code 2`, async () => {
    using folder = new Folder();
    const path = `${folder.path}/pipe.ts`;
    Deno.writeTextFileSync(path, HEAD + text);
    const ended = await command("run", [path, "--store", folder.store, "--dry-run"]);
    assert.equal(ended.code, 2, ended.stderr);
    const told = ended.stderr.replaceAll(`file://${path}`, "HERE").replaceAll(path, "HERE");
    for (const message of messages) {
      if (typeof message === "string") assert.ok(told.includes(message), `${message}\nis not in\n${told}`);
      else assert.match(told, message);
    }
    assert.doesNotMatch(told, /fault in Retort/);
  });
}

Deno.test("a relative path of a source is told with the folder that it begins in, and the file is found from there", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/here.txt`, "a quick brown fox");
  const args = (path: string) => [fixture("letters"), "--store", folder.store, "--set", `path=${path}`];
  const wrong = await command("run", args("there.txt"), { cwd: folder.path });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /data file there\.txt, which is \/.*\/there\.txt \(relative paths begin in \//);
  const right = await command("run", args("here.txt"), { cwd: folder.path });
  assert.equal(right.code, 0, right.stderr);
  const special = await command("run", args("/dev/shm/there.txt"));
  assert.match(special.stderr, /Deno opens \/dev, \/proc and \/sys only/);
});

Deno.test("values stand in the same order computed and cached", async () => {
  using folder = new Folder();
  const path = `${folder.path}/pipe.ts`;
  Deno.writeTextFileSync(
    path,
    HEAD + pipeline("return { score: read({ text: write({}).text }, { times: 3 }).score };"),
  );
  const lines: string[] = [];
  for (let i = 0; i < 2; i++) {
    const ended = await command("run", [path, "--store", folder.store]);
    assert.equal(ended.code, 0, ended.stderr);
    lines.push(
      ended.stdout,
      (await command("show", ["score", "--store", folder.store])).stdout.split("\npackages")[0]!,
    );
  }
  assert.match(lines[0]!, /ant 1, zebra 3/);
  assert.deepEqual(lines.slice(2), lines.slice(0, 2));
});

Deno.test("an export stays in its folder, whatever the outputs are called", async () => {
  using folder = new Folder();
  const path = `${folder.path}/pipe.ts`;
  const build = `const { text } = write({}); return { "../out": text, con: text, fine: text, "a/b": text };`;
  Deno.writeTextFileSync(path, HEAD + pipeline(build));
  const ran = await command("run", [path, "--store", folder.store]);
  assert.equal(ran.code, 0, ran.stderr);
  const ended = await command("export", ["latest", `${folder.path}/inner/exported`, "--store", folder.store]);
  assert.equal(ended.code, 0, ended.stderr);
  const names = (inside: string) =>
    [...Deno.readDirSync(`${folder.path}/${inside}`)].map(({ name }) => name).sort();
  assert.deepEqual(names("inner"), ["exported"]);
  assert.deepEqual(names("inner/exported"), ["fine", "output-1", "output-2", "output-3"]);
});

import assert from "node:assert/strict";
import { command, Folder } from "../command.ts";

/** Writes files of a folder. */
function write(folder: Folder, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${folder.path}/${name}`, text);
}

const FACTORY = {
  "helper.ts": `
    import { defineStage, text } from "retort";
    export const constant = (name: string, value: string) =>
      defineStage({ name, outputs: { text }, run: () => ({ text: value }) });
    export async function later(name: string, value: string) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return constant(name, value);
    }`,
  "state.ts": `
    import { defineStage, text } from "retort";
    export let scale = 1;
    export function setScale(x: number) { scale = x; }
    export const settings = { scale: 1, list: [1] };
    let count = 0;
    export const next = () => ++count;
    export const state = defineStage({
      name: "state",
      outputs: { text },
      run: () => ({ text: [scale, settings.scale, settings.list, Reflect.get(globalThis, "scale")].join() }),
    });`,
  "counted.ts": `
    import { constant } from "./helper.ts";
    import { next } from "./state.ts";
    export const counted = constant("counted", String(next()));`,
  "meddler.ts": `
    import { defineStage, text } from "retort";
    import { scale, setScale } from "./state.ts";
    setScale(9);
    export const meddler = defineStage({ name: "meddler", outputs: { text }, run: () => ({ text: String(scale) }) });`,
  "awaited.ts": `
    import { later } from "./helper.ts";
    export default await later("awaited", "hi");`,
  "index.ts": `export { meddler } from "./meddler.ts"; export { default as awaited } from "./awaited.ts";`,
  "registry.ts": `
    import { constant } from "./helper.ts";
    const known = new Map<string, ReturnType<typeof constant>>();
    export function register(name: string, value: string) {
      known.set(name, constant(name, value));
      return known.get(name)!;
    }`,
};

/** A pipeline whose stages come about in every way; \`value\` is handed to those that its file makes. */
const pipeline = (value: string, scale: number) => `
  import { definePipeline, defineStage, text } from "retort";
  import { constant } from "./helper.ts";
  import { awaited, meddler } from "./index.ts";
  import { next, scale, setScale, settings, state } from "./state.ts";
  import { register } from "./registry.ts";
  next();
  const { counted } = await import("./counted.ts");
  setScale(${scale});
  settings.scale = ${scale};
  settings.list.push(${scale});
  Reflect.set(globalThis, "scale", ${scale});
  export const own = constant("own", "${value}");
  export const family = ["a", "b"].map((name) => constant("family." + name, name + "${value}"));
  export const named = { one: { inner: constant("named", "${value}") } };
  export const registered = register("registered", "${value}");
  export const here = defineStage({ name: "here", outputs: { text }, run: () => ({ text: String(scale) }) });
  export default definePipeline({
    name: "places",
    build() {
      setScale(100);
      return {
        own: own({}).text,
        family: family.map((stage) => stage({}).text),
        named: named.one.inner({}).text,
        registered: registered({}).text,
        here: here({}).text,
        awaited: awaited({}).text,
        meddler: meddler({}).text,
        state: state({}).text,
        counted: counted({}).text,
      };
    },
  });`;

/** What each output is, by the import of its stage's module alone. */
const expected = (value: string, scale: number) => ({
  "own": value,
  "family.0": `a${value}`,
  "family.1": `b${value}`,
  "named": value,
  "registered": value,
  "here": String(scale),
  "awaited": "hi",
  "meddler": "9",
  "state": "1,1,1,",
  "counted": "1",
});

Deno.test("a stage is what importing its module alone declares, in workers and in the process alike", async () => {
  using folder = new Folder();
  write(folder, FACTORY);
  const file = `${folder.path}/pipe.ts`;
  const run = async (store: string, jobs: string) => {
    const ended = await command("run", [file, "--store", `${folder.path}/${store}`, "--jobs", jobs]);
    assert.equal(ended.code, 0, ended.stderr);
    return {
      values: Object.fromEntries(
        [...ended.stdout.matchAll(/^([\w.]+)\n {2}(.*)$/gm)].map((m) => [m[1], m[2]]),
      ),
      ran: [...ended.stderr.matchAll(/ done {3}([\w.]+) /g)].map((m) => m[1]).sort(),
    };
  };
  write(folder, { "pipe.ts": pipeline("hi", 5) });
  const [inProcess, inWorker] = [await run("a", "0"), await run("b", "1")];
  assert.deepEqual(inProcess.values, expected("hi", 5));
  assert.deepEqual(inWorker.values, expected("hi", 5));
  write(folder, { "pipe.ts": pipeline("bye", 7) });
  const again = await run("a", "0");
  assert.deepEqual(again.values, expected("bye", 7));
  assert.deepEqual(again.ran, ["family.a", "family.b", "here", "named", "own", "registered"]);
  assert.deepEqual((await run("a", "1")).ran, []);
});

Deno.test("a stage that no file exports where it is made is refused before anything runs, with what to do", async () => {
  using folder = new Folder();
  write(folder, {
    ...FACTORY,
    "list.ts": `
      import { constant } from "./helper.ts";
      export const stages: ReturnType<typeof constant>[] = [];
      export const add = (name: string, value: string) => stages.push(constant(name, value));`,
    "pipe.ts": `
      import { definePipeline } from "retort";
      import { constant } from "./helper.ts";
      import { add, stages } from "./list.ts";
      const hidden = constant("hidden", "x");
      add("pushed", "x");
      export default definePipeline({
        name: "refused",
        build: () => ({
          a: hidden({}).text,
          b: constant("inside", "x")({}).text,
          c: stages[0]!({}).text,
        }),
      });`,
  });
  for (const jobs of ["0", "1"]) {
    const ended = await command("run", [`${folder.path}/pipe.ts`, "--store", folder.store, "--jobs", jobs]);
    assert.equal(ended.code, 2);
    for (const name of ["hidden", "inside", "pushed"]) {
      assert.match(ended.stderr, new RegExp(`stage \`${name}\` is not exported by the file that makes it`));
    }
    assert.match(ended.stderr, /hidden.*pipe\.ts/);
    assert.match(ended.stderr, /inside.*inside a pipeline's build/);
    assert.match(ended.stderr, /export it at the top of the file that makes it, as `export const NAME/);
  }
  assert.throws(() => Deno.statSync(folder.store), "nothing was made");
});

Deno.test("a stage whose declaration depends on what others did, or that is gone, fails with what to do", async () => {
  using folder = new Folder();
  write(folder, {
    ...FACTORY,
    "odd.ts": `
      import { defineStage, text } from "retort";
      import { scale } from "./state.ts";
      import { constant } from "./helper.ts";
      export const odd = defineStage({ name: "odd", outputs: { text }, seeded: scale > 1, run: () => ({ text: "" }) });
      export const some = scale > 1 ? [constant("some", "x")] : [];`,
    "pipe.ts": `
      import { definePipeline } from "retort";
      import { setScale } from "./state.ts";
      setScale(2);
      const { odd, some } = await import("./odd.ts");
      export default definePipeline({
        name: "odd", build: () => ({ odd: odd({}).text, some: some[0]!({}).text }),
      });`,
  });
  for (const jobs of ["0", "1"]) {
    const ended = await command("run", [`${folder.path}/pipe.ts`, "--store", folder.store, "--jobs", jobs]);
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /declares the stage `odd` differently when it is imported by itself/);
    assert.match(ended.stderr, /has no stage `some` at its export `some\.0` when it is imported by itself/);
  }
});

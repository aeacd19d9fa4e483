import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import { Bundler } from "../../runner/bundle.ts";
import { Packages } from "../../runner/packages.ts";
import { readProject } from "../../runner/project.ts";
import { Folder, ROOT } from "../command.ts";
import { holds } from "../property.ts";
import { EDITS, type Token, tokensOf } from "./rewriting.ts";

const packages = Packages.load(readProject(`${ROOT}/deno.json`));

/** A copy of the rooms that stages are made of; the runner itself stays where it is. */
function copyRooms(folder: string): void {
  const copy = (from: string, to: string, up: string) => {
    Deno.mkdirSync(to);
    for (const { name, isDirectory } of Deno.readDirSync(from)) {
      if (isDirectory) copy(`${from}/${name}`, `${to}/${name}`, `${up}../`);
      else if (!name.endsWith(".ts")) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
      else {
        const text = Deno.readTextFileSync(`${from}/${name}`);
        Deno.writeTextFileSync(`${to}/${name}`, text.replaceAll(`"${up}runner/`, `"file://${ROOT}/runner/`));
      }
    }
  };
  for (const room of ["stages", "control", "teachers", "datasets", "kernels", "circuits", "foundation"]) {
    copy(`${ROOT}/${room}`, `${folder}/${room}`, "../");
  }
}

/** Stages of every room, with all kinds of syntax, none of too many modules. */
const STAGES: readonly [file: string, name: string][] = [
  ["stages/density/hidden_tree.ts", "hiddenTree"],
  ["stages/text/local.ts", "localText"],
  ["stages/text/tokenize.ts", "tokenize"],
  ["stages/text/embed.ts", "embedRandom"],
  ["stages/images/patch_features.ts", "controlFeatures"],
  ["stages/clusters/pca.ts", "fitPca"],
  ["stages/fit_bigram.ts", "fitBigram"],
];

/** Files that are imported as a whole, at run time or as a namespace: all that they export counts. */
function importedWhole(files: readonly string[]): Set<string> {
  return new Set(
    files.flatMap((file) =>
      [...Deno.readTextFileSync(file).matchAll(/\bimport(?:\(| \* as \w+ from)\s*"(\.[^"]+)"/g)].map((
        [, path],
      ) => fileURLToPath(new URL(path!, pathToFileURL(file))))
    ),
  );
}

Deno.test("edits of the format of real stages and of what they import, alone and at random together, keep the fingerprint", async (test) => {
  assert.ok(EDITS.length >= 18);
  using folder = new Folder();
  copyRooms(folder.path);
  const bundler = new Bundler(packages);
  const bundle = ([file, name]: (typeof STAGES)[number]) =>
    bundler.bundle(pathToFileURL(`${folder.path}/${file}`).href, name);
  try {
    const originals = new Map<string, string>();
    const textOf = (file: string) => {
      if (!originals.has(file)) originals.set(file, Deno.readTextFileSync(file));
      return originals.get(file)!;
    };
    const check = async (
      stage: (typeof STAGES)[number],
      edits: readonly (typeof EDITS)[number][],
      choose: () => boolean,
    ) => {
      const before = await bundle(stage);
      const files = before.files.filter((file) => file.startsWith(folder.path) && file.endsWith(".ts"));
      const whole = importedWhole(files);
      let edited = 0;
      try {
        for (const file of files) {
          const text = edits.reduce(
            (text, [name, edit]) =>
              name === "unused exports" && whole.has(file) ? text : edit(tokensOf(text), choose),
            textOf(file),
          );
          if (text !== textOf(file)) edited++;
          Deno.writeTextFileSync(file, text);
        }
        const after = await bundle(stage);
        const changed = Object.keys(after.modules).filter((name) =>
          after.modules[name] !== before.modules[name]
        );
        const what = `${stage[1]}: ${edits.map(([name]) => name).join(", ")}`;
        assert.deepEqual(changed, [], what);
        assert.equal(after.digest, before.digest, what);
      } finally {
        for (const file of files) Deno.writeTextFileSync(file, textOf(file));
      }
      return edited;
    };
    for (const [i, edit] of EDITS.entries()) {
      assert.ok(await check(STAGES[i % 3]!, [edit], () => true) > 0, `${edit[0]} edits nothing`);
    }
    const some = fc.subarray([...EDITS], { minLength: 2, maxLength: 4 });
    const at = fc.infiniteStream(fc.boolean());
    await holds(
      test,
      fc.asyncProperty(fc.constantFrom(...STAGES), some, at, async (stage, edits, at) => {
        await check(stage, edits, () => at.next().value!);
      }),
      { numRuns: 12 },
    );
  } finally {
    await bundler[Symbol.asyncDispose]();
  }
});

/** Statements that stages consist of, at any depth: all that they say counts. */
const LIVE: readonly [stage: (typeof STAGES)[number], file: string, begins: string][] = [
  [STAGES[0]!, "stages/density/hidden_tree.ts", "export const hiddenTree"],
  [STAGES[0]!, "stages/density/hidden_tree.ts", "function bootstrapWeights"],
  [STAGES[0]!, "circuits/random.ts", "export class RandomStream"],
  [STAGES[2]!, "stages/text/tokenize.ts", "export const tokenize"],
  [STAGES[6]!, "stages/fit_bigram.ts", "export const fitBigram"],
  [STAGES[6]!, "datasets/bigram.ts", "export class BigramCounts"],
];

/** Another literal of the same kind. */
function changed({ kind, text }: Token): string | undefined {
  if (kind === "string") return `${text.slice(0, -1)}.${text.at(-1)}`;
  if (kind === "template") return `${text.slice(0, -1)}\n// h.ts\n\``;
  if (kind === "number") return text === "0" ? "1" : `${text}1`;
  return kind === "regex" ? text.replace("/", "/x?") : undefined;
}

Deno.test("which file is read first does not matter", async () => {
  const read = Deno.readTextFile;
  const digests = new Set<string>();
  try {
    for (const late of ["", "/teachers/teacher.ts", "/stages/text/codecs.ts"]) {
      Deno.readTextFile = async (path, options) => {
        if (late !== "" && String(path).endsWith(late)) {
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        return await read(path, options);
      };
      await using bundler = new Bundler(packages);
      const { digest, packages: named } = await bundler.bundle(
        pathToFileURL(`${ROOT}/stages/text/embed.ts`).href,
        "embedStatic",
      );
      digests.add(`${digest} ${named.join(" ")}`);
    }
  } finally {
    Deno.readTextFile = read;
  }
  assert.equal(digests.size, 1, [...digests].join("\n"));
});

Deno.test("another string, number, template or regular expression, at any depth, changes it, and its file is named alone", async (test) => {
  using folder = new Folder();
  copyRooms(folder.path);
  const bundler = new Bundler(packages);
  const bundle = ([file, name]: (typeof STAGES)[number]) =>
    bundler.bundle(pathToFileURL(`${folder.path}/${file}`).href, name);
  try {
    await holds(
      test,
      fc.asyncProperty(fc.constantFrom(...LIVE), fc.nat(), async ([stage, file, begins], nth) => {
        const path = `${folder.path}/${file}`;
        const text = Deno.readTextFileSync(path);
        // The type of a stage says nothing at run time.
        const named = text.indexOf(begins);
        const start = begins.startsWith("export const") ? text.indexOf(" = defineStage(", named) : named;
        const end = /^\}(?:\);)?$/gm;
        end.lastIndex = start;
        end.exec(text);
        const tokens = tokensOf(text.slice(start, end.lastIndex));
        const literals = tokens.filter((token) => changed(token) !== undefined);
        const chosen = literals[nth % literals.length]!;
        const before = await bundle(stage);
        const edited = tokens.map((token) => token === chosen ? changed(token)! : token.text).join("");
        Deno.writeTextFileSync(path, text.slice(0, start) + edited + text.slice(end.lastIndex));
        const after = await bundle(stage).finally(() => Deno.writeTextFileSync(path, text));
        const what = `${file}: ${chosen.text}`;
        assert.notEqual(after.digest, before.digest, what);
        const names = Object.keys(after.modules).filter((name) =>
          after.modules[name] !== before.modules[name]
        );
        assert.deepEqual(
          names.map((name) => fileURLToPath(new URL(name, pathToFileURL(`${folder.path}/${stage[0]}`)))),
          [path],
          what,
        );
      }),
      { numRuns: 15 },
    );
  } finally {
    await bundler[Symbol.asyncDispose]();
  }
});

/** Fingerprints of texts of one module, whose export is `run`. */
async function digestsOf(texts: readonly string[], more: Record<string, string> = {}): Promise<string[]> {
  using folder = new Folder();
  const bundler = new Bundler(packages);
  try {
    const digests: string[] = [];
    for (const [name, text] of Object.entries(more)) Deno.writeTextFileSync(`${folder.path}/${name}`, text);
    for (const text of texts) {
      Deno.writeTextFileSync(`${folder.path}/one.ts`, text);
      digests.push((await bundler.bundle(pathToFileURL(`${folder.path}/one.ts`).href, "run")).digest);
    }
    return digests;
  } finally {
    await bundler[Symbol.asyncDispose]();
  }
}

const OWN =
  `import { defineStage, temporary, text } from "file://${ROOT}/mod.ts"; const [f, t] = [defineStage, temporary];`;

Deno.test("what means the same is the same", async () => {
  const pairs: [string, string][] = [
    [`export const run = () => ({ a: 1, b: 2 });`, `export const run = () => ({\n  "a": 1,\n  'b': 2,\n})`],
    [
      `export const run = () => f(1, [2, 3]); const f = Math.max;`,
      `export const run = () => f(\n1 /* c */,\n[2,3,],\n);\nconst f = Math.max`,
    ],
    [
      `export const run = (x) => { if (x) { return 1 } else { return 2 } }`,
      `export const run = x => { if (x) return (1);; else return 2; }`.replace(";;", ";"),
    ],
    [
      `export const run = (x) => { if (x) { if (x.a) { x(1) } } else { x(2) } }`,
      `export const run = (x) => { if (x) { if (x.a) x(1) } else x(2) }`,
    ],
    [`export const run = () => (x) => x;`, `export const run = (() => ((x) => (x)));`],
    [
      `export const run = () => { return (/* c */ 5 + 3) * 2 };`,
      `export const run = () => {\n\treturn /* d */ ((5 + 0x3)) * 2;;\n};`,
    ],
    [`export const run = () => "it's \\u0041";`, `export const run = () => 'it\\'s A';`],
    [
      `import { a, z } from "npm:zod"; export const run = () => [a, z];`,
      `import { z, a } from "npm:zod"; export const run = () => [a, z];`,
    ],
    [`export const run = (x: number) => (x as unknown as string)!;`, `export const run = (x) => x;`],
    [
      `const f = () => 1; /* @__PURE__ */ f(); export const run = () => 0;`,
      `const f = () => 1; f(); export const run = () => 0;`,
    ],
    [`import { z } from "npm:zod"; export const run = () => 0;`, `export const run = () => 0;`],
    [
      `@d class A {} function d(x) { return x } export const run = () => A;`,
      `@d\nclass A {}\nfunction d(x) { return (x) }\nexport const run = () => A;`,
    ],
    // How nodes run, and which outputs are kept, is no part of the code.
    ...[
      OWN,
      `import { defineStage as declare, temporary as brief, text } from "retort"; const [f, t] = [declare, brief];`,
    ]
      .flatMap((imports, i): [string, string][] => {
        const [stage, brief] = i === 0 ? ["defineStage", "temporary"] : ["declare", "brief"];
        const plain = (more: string, output: string) =>
          `${imports} export const run = ${stage}({ name: "a", ${more} outputs: { text: ${output} }, run: () => 1 });`;
        return [
          [plain("", "text"), plain(`resources: { cores: 2 }, retries: { times: 3 },`, "text")],
          [plain("", "text"), plain("", `${brief}(text)`)],
        ];
      }),
    [
      `import { defineStage, text } from "retort"; export const run = defineStage({ name: "a", outputs: { text }, run() {} });`,
      `import { defineStage, temporary, text } from "retort"; export const run = defineStage({ name: "a", outputs: { text: temporary(text) }, run() {} });`,
    ],
  ];
  const digests = await digestsOf(pairs.flat());
  pairs.forEach(([a, b], i) => assert.equal(digests[2 * i], digests[2 * i + 1], `${a}\n${b}`));
});

Deno.test("what means something else is another one", async () => {
  const texts = [
    "export const run = () => `\n// one.ts\n`;",
    "export const run = () => `\n// two.ts\n`;",
    "export const run = () => `\n\n`;",
    "export const run = () => `\n// <stage>\n`;",
    "export const run = (t) => t`\\u0041`;",
    "export const run = (t) => t`A`;",
    `export const run = function () { "use strict"; return 1 };`,
    `export const run = function () { return 1 };`,
    `export const run = function f() { return 1 };`,
    `export const run = () => /a/g;`,
    `export const run = () => /a/gi;`,
    `export const run = () => -0;`,
    `export const run = () => 0;`,
    `export const run = () => 0n;`,
    `export const run = () => "0";`,
    `export const run = () => 1e999;`,
    `export const run = () => null;`,
    `export const run = () => "\\ud800";`,
    `export const run = () => "\\ud801";`,
    `export const run = () => [1, , 2];`,
    `export const run = () => [1, 2];`,
    `export const run = (x) => { if (x) { if (x.a) x(1) } else x(2) };`,
    `export const run = (x) => { if (x) { if (x.a) x(1); else x(2) } };`,
    `export const run = (__proto__) => ({ __proto__ });`,
    `export const run = (__proto__) => ({ __proto__: __proto__ });`,
    `export const run = (a, b) => a ?? b;`,
    `export const run = (a, b) => a || b;`,
    `export const run = (a, b) => a?.b;`,
    `export const run = (a, b) => a.b;`,
    `export const run = async (a) => { for await (const b of a) b(); };`,
    `export const run = async (a) => { for (const b of a) b(); };`,
    `import "npm:zod"; export const run = () => 0.5;`,
    `export const run = () => 0.5;`,
    `import x from "./x.json" with { type: "json" }; export const run = () => x;`,
    `import x from "./x.json" with { type: "text" }; export const run = () => x;`,
    `import { set, get } from "./state.ts"; set(1); export const run = () => get();`,
    `import { set, get } from "./state.ts"; set(2); export const run = () => get();`,
    `import { get } from "./state.ts"; export const run = () => get();`,
    `globalThis.a = 1; export const run = () => globalThis.a;`,
    `globalThis.a = 2; export const run = () => globalThis.a;`,
    // Functions of one's own with these names are code as any other.
    ...["retries: 1", "retries: 2"].map((more) =>
      `const defineStage = (it) => () => it; export const run = defineStage({ ${more} });`
    ),
    ...["1", "temporary(1)"].map((value) =>
      `import { defineStage } from "retort"; const temporary = (x) => x + 1; export const run = defineStage({ name: "b", run: () => ${value} });`
    ),
    `import { defineStage } from "retort"; export const run = defineStage({ name: "b", run: () => ({ retries: 3 }) });`,
  ];
  const digests = await digestsOf(texts, {
    "x.json": `{"a": 1}`,
    "state.ts": `let x = 0; export const set = (y) => { x = y }; export const get = () => x;`,
  });
  digests.forEach((digest, i) =>
    assert.equal(digests.indexOf(digest), i, `${texts[i]}\n${texts[digests.indexOf(digest)]}`)
  );
});

import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";

const LETTERS = fixture("letters");

interface PlanJson {
  readonly node: string;
  readonly status: string;
  readonly reasons: readonly { readonly kind: string; readonly text: string }[];
}

/** A folder with a data file; arguments of a run over it. */
function letters(folder: Folder, text = "a quick brown fox"): string[] {
  Deno.writeTextFileSync(`${folder.path}/data.txt`, text);
  return [LETTERS, "--store", folder.store, "--set", `path=${folder.path}/data.txt`];
}

Deno.test("a run, then a cached run; nothing but data on standard output", async () => {
  using folder = new Folder();
  const args = letters(folder);
  const first = await command("run", args);
  assert.equal(first.code, 0, first.stderr);
  assert.match(
    first.stdout,
    /^OUTPUT +TYPE +SIZE +VALUE +DIGEST\ntext +text .*\ntotal +letter-count .* letters 6 /,
  );
  assert.match(
    first.stderr,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}start {2}letters\.read {2}\(never run before\)/m,
  );
  assert.match(first.stderr, /done in .*: 4 ran, 1 cached/);
  assert.match(first.stdout, /\n\ntext\n {2}a quick brown fox\n$/, "small outputs are shown as they are");
  const second = await command("run", args);
  assert.match(second.stderr, /done in .*: 0 ran, 5 cached/);
  assert.equal(second.stdout, first.stdout);
});

Deno.test("wrong calls end with 2 and the nearest right name", async () => {
  using folder = new Folder();
  const args = letters(folder);
  const cases: [string[], RegExp][] = [
    [[...args, "--jbos", "2"], /unknown option '--jbos'[\s\S]*--jobs/],
    [[...args, "--set", "alphabet=3"], /unknown parameter `alphabet`; did you mean `alphabets`\?/],
    [[...args, "--set", "alphabets=3"], /parameter `alphabets`: .*expected array/],
    [[...args, "--set", "alphabets"], /expected name=value/],
    [[...args, "--only", "letters.reed"], /--only letters\.reed: .*did you mean `letters\.read`/],
    [[...args, "--jobs", "two"], /expected a whole number from 0, got "two"/],
    [[...args, "--lock", "--frozen"], /exclude each other/],
    [[`${folder.path}/none.ts`], /there is no pipeline file/],
    [[`${folder.path}/data.txt`], /cannot load the pipeline|default export/],
    [[LETTERS, "--store", folder.store], /parameter `path`: .*expected string/],
  ];
  for (const [call, message] of cases) {
    const ended = await command("run", call);
    assert.equal(ended.code, 2, `${call.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
    assert.equal(ended.stdout, "");
    assert.doesNotMatch(ended.stderr, /(?:cli|runner)\/\w+\.ts:\d+/, "no stack trace");
  }
  assert.throws(() => Deno.statSync(folder.store), "nothing was run or made");
});

Deno.test("a wrong parameter of a node is refused before anything runs, with node, path and what was expected", async () => {
  using folder = new Folder();
  const pipeline = `${folder.path}/wrong.ts`;
  Deno.writeTextFileSync(
    pipeline,
    `import { countLetters, readLetters, letterFile } from "file://${LETTERS}";
     import { definePipeline } from "retort";
     export default definePipeline({ name: "wrong", build() {
       const { text } = readLetters({ files: letterFile({}, { path: "/etc/hostname" }).files });
       return { a: countLetters({ text }, { alphabett: "x", alphabet: 7 } as never).count };
     } });`,
  );
  const ended = await command("run", [pipeline, "--store", folder.store]);
  assert.equal(ended.code, 2);
  assert.match(
    ended.stderr,
    /node `letters\.count`: unknown parameter `alphabett`; did you mean `alphabet`\?/,
  );
  assert.match(
    ended.stderr,
    /node `letters\.count`: parameter `alphabet`: .*expected string, received number/,
  );
});

Deno.test("--dry-run says why each node would run, and runs nothing", async () => {
  using folder = new Folder();
  const args = letters(folder);
  const plan = async (...more: string[]) => {
    const ended = await command("run", [...args, "--dry-run", "--json", ...more]);
    assert.equal(ended.code, 0, ended.stderr);
    return JSON.parse(ended.stdout) as PlanJson[];
  };
  const of = (list: PlanJson[], node: string) => list.find((one) => one.node === node)!;
  assert.deepEqual((await plan()).map((one) => one.status), ["cached", "run", "run", "run", "run"]);
  assert.equal((await command("runs", ["--store", folder.store])).stdout, "no runs yet\n");

  await command("run", args);
  assert.ok((await plan()).every((one) => one.status === "cached"));
  const param = of(await plan("--set", `alphabets=["aeiou","x"]`), "letters.count@alphabet=x");
  assert.equal(param.status, "run");
  assert.match(
    param.reasons[0]!.text,
    /nearest is letters\.count@alphabet=xyz: parameter alphabet changed: "xyz" -> "x"/,
  );
  assert.equal(of(await plan("--force", "letters.read"), "letters.read").reasons[0]!.text, "forced");
  assert.equal(of(await plan("--force", "letters.read"), "letters.add").status, "unknown");
  assert.ok((await plan("--no-cache")).slice(1).every((one) => one.reasons[0]!.kind === "no-cache"));

  Deno.writeTextFileSync(`${folder.path}/data.txt`, "other letters");
  const read = of(await plan(), "letters.read");
  assert.match(
    read.reasons[0]!.text,
    /^input files \(letters\.file:files\) changed: \w{8} -> \w{8} \(letters\.txt\)$/,
  );
  const text = await command("run", [...args, "--dry-run"]);
  assert.match(text.stdout, /letters\.add +maybe +waits for letters\.count/);
});

Deno.test("an edit of a stage's code runs it again and names the file; a comment does not", async () => {
  using folder = new Folder();
  const pipeline = `${folder.path}/pipe.ts`;
  const helper = `${folder.path}/helper.ts`;
  const deep = `${folder.path}/deep.ts`;
  const stray = `${folder.path}/stray.ts`;
  Deno.writeTextFileSync(stray, "export const stray = 1;");
  Deno.writeTextFileSync(
    helper,
    `import { TWO } from "./deep.ts";\n` +
      "export function twice(n: number) { return TWO * n; }\nexport const unused = 1;\n",
  );
  Deno.writeTextFileSync(deep, "export const TWO = 2;");
  Deno.writeTextFileSync(
    pipeline,
    `import { z } from "zod";
     import { definePipeline, defineStage, json } from "retort";
     import { twice } from "./helper.ts";
     export const double = defineStage({
       name: "double", outputs: { n: json("n", z.number()) }, run: () => ({ n: twice(4) }),
     });
     export default definePipeline({ name: "code", build: () => ({ n: double({}).n }) });`,
  );
  const args = [pipeline, "--store", folder.store, "--json"];
  const states = async () => {
    const ended = await command("run", args);
    assert.equal(ended.code, 0, ended.stderr);
    return (JSON.parse(ended.stdout) as { nodes: { state: string; reasons: string[] }[] }).nodes[0]!;
  };
  assert.equal((await states()).state, "ran");
  Deno.writeTextFileSync(
    helper,
    `// A comment.\nimport { TWO } from "./deep.ts";\n` +
      "export function twice(n: number) {\n  return TWO * n;\n}\nexport const unused = 2;\n",
  );
  Deno.writeTextFileSync(stray, "export const stray = 2;");
  assert.equal((await states()).state, "cached");
  Deno.writeTextFileSync(deep, "export const TWO = 3;");
  assert.deepEqual((await states()).reasons, ["code changed: deep.ts"]);
  Deno.writeTextFileSync(helper, "export function twice(n: number) { return n + n; }\n");
  const changed = await states();
  assert.equal(changed.state, "ran");
  assert.match(changed.reasons[0]!, /^code changed: .*helper\.ts/);
});

Deno.test("--only, --force, --no-cache and --jobs 0", async () => {
  using folder = new Folder();
  const args = letters(folder);
  const ran = async (...more: string[]) => {
    const ended = await command("run", [...args, "--json", ...more]);
    assert.equal(ended.code, 0, ended.stderr);
    const { nodes } = JSON.parse(ended.stdout) as { nodes: { node: string; state: string }[] };
    return nodes.filter((node) => node.state === "ran").map((node) => node.node);
  };
  assert.deepEqual(await ran("--only", "letters.count*xyz"), ["letters.read", "letters.count@alphabet=xyz"]);
  assert.deepEqual(await ran("--jobs", "0"), ["letters.count@alphabet=aeiou", "letters.add"]);
  // The forced node gives the same bytes: what comes after it is not run again.
  assert.deepEqual(await ran("--force", "letters.read"), ["letters.read"]);
  assert.equal((await ran("--no-cache")).length, 4);
  assert.deepEqual(await ran(), []);
});

Deno.test("--lock writes a file for review; --frozen refuses what differs from it", async () => {
  using folder = new Folder();
  const pipeline = `${folder.path}/letters.ts`;
  const source = Deno.readTextFileSync(LETTERS).replace("../../../mod.ts", "retort");
  Deno.writeTextFileSync(pipeline, source);
  const [, ...args] = letters(folder);
  const locked = await command("run", [pipeline, ...args, "--lock"]);
  assert.equal(locked.code, 0, locked.stderr);
  const lock = Deno.readTextFileSync(`${folder.path}/letters.lock.json`);
  assert.doesNotMatch(lock, new RegExp(folder.store), "nothing of this machine but what was asked for");
  const other = ["--store", `${folder.path}/other`, ...args.slice(2)];
  assert.equal((await command("run", [pipeline, ...other, "--frozen"])).code, 0);

  const param = await command("run", [pipeline, ...args, "--frozen", "--set", `alphabets=["q"]`]);
  assert.equal(param.code, 2);
  assert.match(param.stderr, /parameters: locked .*now .*\["q"\]/);
  Deno.writeTextFileSync(pipeline, source.replace(".trim()", ".trimEnd()"));
  const code = await command("run", [pipeline, ...args, "--frozen"]);
  assert.equal(code.code, 2);
  assert.match(code.stderr, /node `letters\.read`, code: locked/);
});

Deno.test("paths are meant from where the user called", async () => {
  using folder = new Folder();
  letters(folder);
  Deno.copyFileSync(LETTERS, `${folder.path}/pipe.ts`);
  const text = Deno.readTextFileSync(LETTERS).replace("../../../mod.ts", "retort");
  Deno.writeTextFileSync(`${folder.path}/pipe.ts`, text);
  const ended = await command(
    "run",
    ["pipe.ts", "--store", "here", "--set", `path=${folder.path}/data.txt`],
    {
      env: { INIT_CWD: folder.path },
    },
  );
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(Deno.statSync(`${folder.path}/here/retort-store.json`).isFile);
});

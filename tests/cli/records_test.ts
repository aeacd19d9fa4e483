import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";

async function ran(): Promise<
  { folder: Folder; json: (task: string, ...args: string[]) => Promise<unknown> } & Disposable
> {
  const folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/data.txt`, "a quick brown fox");
  const args = [fixture("letters"), "--store", folder.store, "--set", `path=${folder.path}/data.txt`];
  for (const more of [[], ["--set", `alphabets=["aeiou","bq"]`]]) {
    const ended = await command("run", [...args, ...more]);
    assert.equal(ended.code, 0, ended.stderr);
  }
  return {
    folder,
    json: async (task, ...rest) => {
      const ended = await command(task, [...rest, "--store", folder.store, "--json"]);
      assert.equal(ended.code, 0, ended.stderr);
      return JSON.parse(ended.stdout);
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("commands find the store without --store: in RETORT_HOME, else in .retort", async () => {
  using folder = new Folder();
  const home = `${folder.path}/.retort`;
  Deno.writeTextFileSync(`${folder.path}/data.txt`, "a quick brown fox");
  const made = await command("run", [fixture("letters"), "--set", `path=${folder.path}/data.txt`], {
    env: { RETORT_HOME: home },
  });
  assert.equal(made.code, 0, made.stderr);
  const calls = [
    ["runs"],
    ["show", "total"],
    ["compare", "latest", "latest"],
    ["export", "total", `${folder.path}/exported`],
    ["report", "latest", "--out", `${folder.path}/report.html`],
    ["verify"],
    ["gc", "--dry-run"],
  ];
  for (const [task, ...args] of calls) {
    const named = await command(task!, args, { env: { RETORT_HOME: home } });
    assert.equal(named.code, 0, `${task}: ${named.stderr}`);
  }
  const here = await command("runs", [], { cwd: folder.path });
  assert.match(here.stdout, /letters/, here.stderr);
});

Deno.test("runs, show, compare, export, graph, gc and verify answer in words and in JSON", async () => {
  using one = await ran();
  const store = ["--store", one.folder.store];
  const text = async (task: string, ...args: string[]) => {
    const ended = await command(task, [...args, ...store]);
    assert.equal(ended.code, 0, ended.stderr);
    return ended.stdout;
  };
  // deno-lint-ignore no-explicit-any -- JSON of several commands, checked below
  type Any = any;

  const runs = await one.json("runs") as Any[];
  assert.equal(runs.length, 2);
  assert.ok(runs[0].started > runs[1].started, "newest first");
  assert.deepEqual(runs[0].sweeps, [{ stage: "letters.count", nodes: 2, varying: ["alphabet"] }]);
  assert.match(await text("runs"), /letters\.count ×2 \(alphabet\)/);
  const { environment } = await one.json("runs", "latest") as Any;
  assert.equal(environment.deno, Deno.version.deno);
  assert.equal(typeof environment.host, "string");
  assert.equal(environment.packages.zod, "4.6.7");
  assert.ok(environment.git === null || /^[0-9a-f]{40}$/.test(environment.git.commit));

  const shown = await one.json("show", "total") as Any;
  assert.equal(shown.codec, "letter-count");
  assert.equal(shown.inStore, true);
  assert.equal(shown.lineage[0].from[0].from[0].stage, "letters.file");
  assert.match(
    await text("show", "text"),
    /facts +characters 17, lines 1[\s\S]*made from[\s\S]*letters\.file/,
  );

  const compared = await one.json("compare", runs[1].id, runs[0].id) as Any;
  assert.ok(compared.metrics.some((row: Any) => row.name === "total.letters" && row.values.join() === "6,7"));
  assert.match(
    await text("compare", runs[1].id, "latest"),
    /letters\.add +total\.letters +6 +7 +\+1 \(\+16\.7 %\)/,
  );

  assert.match(await text("export", "latest", `${one.folder.path}/out`), /total: 1 files/);
  assert.equal(Deno.readTextFileSync(`${one.folder.path}/out/text/text.txt`), "a quick brown fox");

  const args = [fixture("letters"), "--set", `path=${one.folder.path}/data.txt`];
  assert.match(await text("graph", ...args), /^flowchart TD\n {2}n0\["letters\.file<br\/>/);
  const drawn = await one.json("graph", ...args) as Any;
  assert.deepEqual(drawn.nodes.map((node: Any) => node.state), [
    "data",
    "cached",
    "cached",
    "cached",
    "cached",
  ]);
  await text("graph", ...args, "--svg", `${one.folder.path}/graph.svg`);
  assert.match(
    Deno.readTextFileSync(`${one.folder.path}/graph.svg`),
    /<svg[\s\S]*letters\.add[\s\S]*<\/svg>/,
  );

  assert.match(await text("gc", "--dry-run"), /would remove 0 results/);
  assert.equal((await one.json("gc", "--dry-run") as Any).keptResults, 6);
  assert.match(await text("verify"), /and 6 results: all sound/);
  assert.deepEqual((await one.json("verify") as Any).faults, []);
});

Deno.test("names that name nothing: exit code 2 and the nearest right one", async () => {
  using one = await ran();
  const store = ["--store", one.folder.store];
  const cases: [string, string[], RegExp][] = [
    ["show", ["totl"], /did you mean `total`/],
    ["compare", ["latest", "zzz"], /there is no run zzz/],
    ["export", ["txt", `${one.folder.path}/x`], /nothing is named txt; did you mean `text`/],
    ["runs", ["zzz"], /there is no run zzz/],
  ];
  for (const [task, args, message] of cases) {
    const ended = await command(task, [...args, ...store]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, message);
  }
  const none = await command("runs", ["--store", `${one.folder.path}/none`]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /there is no store at/);
});

Deno.test("data list says where sets are; an unknown one is named with the nearest", async () => {
  using folder = new Folder();
  const env = { RETORT_DATA: `${folder.path}/data`, RETORT_HOME: folder.path };
  const list = await command("data", ["list", "--json"], { env });
  assert.equal(list.code, 0, list.stderr);
  const rows = JSON.parse(list.stdout) as { name: string; licence: string; status: string }[];
  assert.ok(rows.some((row) => row.name === "wikitext-2" && row.status === "missing" && row.licence !== ""));
  const wrong = await command("data", ["fetch", "wikitxt-2"], { env });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /did you mean `wikitext-2`/);
});

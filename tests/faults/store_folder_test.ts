/** Whatever lies in a store's folder, is missing there, or keeps it from being written: no loss, and a message that helps. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { command, fixture, Folder } from "../command.ts";
import { LettersFolder, nodesIn } from "../runner/letters.ts";

const FOLDERS = ["objects", "results", "locks", "checkpoints", "runs", "workspaces", "damaged", "tmp"];
const HEX = "0123456789abcdef".repeat(4);

/** All files below a folder with their bytes; links are not followed. */
function contents(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) Object.assign(found, contents(path));
    else found[path] = entry.isSymlink ? `link to ${Deno.readLinkSync(path)}` : Deno.readTextFileSync(path);
  }
  return found;
}

/** Puts files, folders and links into every folder of a store that are not the store's; returns their paths. */
function plant(store: string, outside: string): string[] {
  const planted: string[] = [];
  const put = (path: string) => {
    Deno.writeTextFileSync(path, "mine");
    planted.push(path);
  };
  const link = (path: string) => {
    Deno.symlinkSync(outside, path);
    planted.push(path);
  };
  for (const name of ["", ...FOLDERS]) {
    const folder = name === "" ? store : `${store}/${name}`;
    put(`${folder}/notes.txt`);
    put(`${folder}/.DS_Store`);
    Deno.mkdirSync(`${folder}/Thesis 2`);
    put(`${folder}/Thesis 2/thesis.txt`);
    link(`${folder}/zz`);
  }
  // Names that belong there, but links, or folders where files belong.
  link(`${store}/objects/ab`);
  link(`${store}/results/ab`);
  link(`${store}/checkpoints/${HEX}`);
  link(`${store}/runs/20200101t000000-abcdef`);
  link(`${store}/workspaces/node-01234567`);
  link(`${store}/damaged/${HEX}`);
  link(`${store}/tmp/1-a-01234567`);
  Deno.mkdirSync(`${store}/objects/cd`, { recursive: true });
  put(`${store}/objects/cd/keep.txt`);
  Deno.symlinkSync(`${outside}/keep.txt`, `${store}/objects/cd/${HEX.slice(2)}`);
  planted.push(`${store}/objects/cd/${HEX.slice(2)}`);
  Deno.mkdirSync(`${store}/results/cd`, { recursive: true });
  put(`${store}/results/cd/${HEX}.json`); // A digest, but not of this folder.
  return planted;
}

Deno.test("gc and verify touch nothing that is not the store's own, and say what they left alone", async () => {
  using folder = new LettersFolder();
  assert.equal((await folder.run()).status, "done");
  const outside = `${folder.root}/out`;
  for (const path of [outside, `${outside}/ab`, `${outside}/objects`]) Deno.mkdirSync(path);
  for (const name of ["keep.txt", HEX.slice(2), `${HEX}.json`, "ab/keep.txt", "workspace.json"]) {
    Deno.writeTextFileSync(`${outside}/${name}`, `precious ${name}`);
  }
  const planted = plant(folder.store, outside);
  const before = contents(outside);
  const mine = () => {
    const all = contents(folder.store);
    return planted.map((path) => [path, all[path]]);
  };
  const untouched = mine();
  assert.ok(untouched.every(([, text]) => text !== undefined));

  const verified = await command("verify", ["--store", folder.store]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  assert.match(verified.stdout, /left alone, not the store's own: .*objects\/ab \(it is a link\)/);
  const swept = await command("gc", ["--store", folder.store, "--days", "0", "--json"]);
  assert.equal(swept.code, 0, swept.stderr);
  const { results, strangers } = JSON.parse(swept.stdout) as {
    results: number;
    strangers: { path: string }[];
  };
  assert.equal(results, 4);
  assert.deepEqual(contents(outside), before, "what links lead to stays as it was");
  assert.deepEqual(mine(), untouched, "what is not the store's own stays as it was");
  const told = new Set(strangers.map(({ path }) => path));
  const within = (path: string) => told.has(path) || told.has(path.replace(`/${basename(path)}`, ""));
  assert.deepEqual(planted.filter((path) => !within(path)), [], "all of it is told");
  assert.equal(nodesIn(await folder.run(), "ran").length, 4, "and the store works on");
});

Deno.test("folders of a store that are links are read, but neither swept nor set aside", async () => {
  using folder = new LettersFolder();
  await folder.run();
  for (const name of FOLDERS) {
    Deno.renameSync(`${folder.store}/${name}`, `${folder.root}/${name}`);
    Deno.symlinkSync(`${folder.root}/${name}`, `${folder.store}/${name}`);
  }
  assert.deepEqual(nodesIn(await folder.run(), "ran"), []);
  const before = FOLDERS.map((name) => contents(`${folder.root}/${name}`));
  for (const [task, ...args] of [["verify"], ["gc", "--days", "0"]]) {
    const ended = await command(task!, [...args, "--store", folder.store]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /left alone.*\/tmp \(it is a link\)/);
  }
  assert.deepEqual(FOLDERS.map((name) => contents(`${folder.root}/${name}`)), before);
});

Deno.test("folders that are missing are made again, each alone and all together", async () => {
  using folder = new LettersFolder();
  await folder.run();
  for (const gone of [...FOLDERS.map((name) => [name]), FOLDERS, ["locks", "tmp", "damaged"]]) {
    for (const name of gone) Deno.removeSync(`${folder.store}/${name}`, { recursive: true });
    const again = await folder.run();
    assert.equal(again.status, "done", `${gone}: ${again.nodes.map((outcome) => outcome.error).join()}`);
    const lost = gone.includes("objects") || gone.includes("results");
    assert.equal(nodesIn(again, "ran").length, lost ? 4 : 0, `without ${gone}`);
  }
  for (const name of FOLDERS) Deno.removeSync(`${folder.store}/${name}`, { recursive: true });
  for (const task of ["runs", "verify", "gc"]) {
    const ended = await command(task, ["--store", folder.store]);
    assert.equal(ended.code, 0, `${task}: ${ended.stderr}`);
  }
});

Deno.test("where no store can be, the message says why and what to do: exit code 2", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/file`, "mine");
  Deno.symlinkSync(`${folder.path}/nowhere`, `${folder.path}/dangling`);
  Deno.mkdirSync(`${folder.path}/empty`);
  Deno.symlinkSync("/dev/shm", `${folder.path}/memory`);
  const cases: [string, RegExp][] = [
    ["file", /the store cannot be at .*file: it is a file, not a folder/],
    ["file/below", /the store cannot be at .*below: .*\/file is a file, not a folder/],
    ["dangling", /the store cannot be at .*dangling: .* is a broken link/],
    [
      "/dev/shm/retort-test",
      /Deno opens \/dev.*\/dev\/shm\/retort-test/,
    ],
    ["memory/retort-test", /Deno opens \/dev, \/proc and \/sys only/],
    ["/proc/1", /Deno opens \/dev, \/proc and \/sys only/],
  ];
  for (const [name, message] of cases) {
    const store = name.startsWith("/") ? name : `${folder.path}/${name}`;
    for (
      const [task, ...args] of name === "file"
        ? [["run", fixture("walks")], ["runs"]]
        : [["run", fixture("walks")]]
    ) {
      const ended = await command(task!, [...args, "--store", store]);
      assert.equal(ended.code, 2, `${task} --store ${store}: ${ended.stderr}`);
      assert.match(ended.stderr, message);
      assert.doesNotMatch(ended.stderr, /allow-all|fault in Retort/);
    }
  }
  assert.equal(Deno.readTextFileSync(`${folder.path}/file`), "mine");
});

Deno.test("a store that is removed in the middle of a run: told as that", async () => {
  for (const jobs of ["2", "0"]) {
    using folder = new Folder();
    const args = [
      fixture("walks"),
      "--store",
      folder.store,
      "--set",
      "steps=40",
      "--set",
      "pause=20",
      "--jobs",
      jobs,
    ];
    const ended = await command("run", args, {
      env: { RETORT_CHECKPOINT_SECONDS: "0" },
      onStart: async (child) => {
        let running = true;
        child.status.then(() => running = false);
        while (running && !await Deno.stat(`${folder.store}/checkpoints`).then(() => true, () => false)) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        while (running && [...Deno.readDirSync(`${folder.store}/checkpoints`)].length === 0) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        Deno.renameSync(folder.store, `${folder.path}/elsewhere`);
      },
    });
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /its folder is gone|there is no store at/);
    assert.doesNotMatch(ended.stderr, /Uncaught|at async|fault in Retort/);
  }
});

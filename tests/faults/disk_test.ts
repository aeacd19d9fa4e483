import assert from "node:assert/strict";
import { command, fixture, Folder, taskArguments } from "../command.ts";
import { partNeeds } from "../needs.ts";

async function mount(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command("mount", { args, stdout: "null", stderr: "null" }).output();
  return success;
}

/** A mounted folder; undefined where this user may not mount. */
async function mounted(path: string, ...args: string[]): Promise<AsyncDisposable | undefined> {
  Deno.mkdirSync(path, { recursive: true });
  if (!partNeeds("mount", await mount(...args, path))) return undefined;
  return {
    async [Symbol.asyncDispose]() {
      await new Deno.Command("umount", { args: ["-l", path], stdout: "null", stderr: "null" }).output();
    },
  };
}

Deno.test("a full disk is a clear error; with more space the run goes on", async () => {
  using folder = new Folder();
  const disk = `${folder.path}/disk`;
  await using held = await mounted(disk, "-t", "tmpfs", "-o", "size=3m", "tmpfs");
  if (held === undefined) return;
  const args = [fixture("walks"), "--store", `${disk}/store`, "--json"];
  const full = await command("run", args);
  assert.equal(full.code, 1);
  assert.match(full.stderr + full.stdout, /disk is full|cannot be written/);
  assert.match(full.stderr + full.stdout, /free some space/i);
  assert.doesNotMatch(full.stderr, /at async/);

  assert.ok(await mount("-o", "remount,size=64m", disk));
  const roomy = await command("run", args);
  assert.equal(roomy.code, 0, roomy.stderr);
  const elsewhere = await command("run", [fixture("walks"), "--store", folder.store, "--json"]);
  const digests = (text: string) =>
    Object.values(JSON.parse(text).outputs as Record<string, { digest: string }>).map((output) =>
      output.digest
    );
  assert.deepEqual(digests(roomy.stdout), digests(elsewhere.stdout));
  assert.equal((await command("verify", ["--store", `${disk}/store`])).code, 0);
});

Deno.test("a disk that is full from the start, however little it takes: a clear error; later it is made whole", async () => {
  using folder = new Folder();
  const disk = `${folder.path}/disk`;
  await using held = await mounted(disk, "-t", "tmpfs", "-o", "size=4k", "tmpfs");
  if (held === undefined) return;
  const args = [
    fixture("walks"),
    "--store",
    `${disk}/store`,
    "--set",
    "steps=2",
    "--set",
    "walks=1",
    "--json",
  ];
  // With each size the space ends at another step: the marker, the records, their log, a node's log, an output.
  for (const size of [4, 16, 64, 100, 160, 300, 600]) {
    assert.ok(await mount("-o", `remount,size=${size}k`, disk));
    const full = await command("run", args);
    assert.equal(full.code, 1, `${size} kB: ${full.stderr}`);
    assert.match(full.stderr + full.stdout, /disk is full|disk I\/O error/, `${size} kB`);
    assert.match(full.stderr + full.stdout, /free some space/i, `${size} kB`);
    assert.doesNotMatch(full.stderr, /at async|Uncaught|cannot rollback|fault in Retort/, `${size} kB`);
  }
  assert.ok(await mount("-o", "remount,size=64m", disk));
  const roomy = await command("run", args);
  assert.equal(roomy.code, 0, roomy.stderr);
  assert.equal((await command("verify", ["--store", `${disk}/store`])).code, 0);
});

Deno.test("a read-only store: what is there is used and shown; a run that had to compute is refused", async () => {
  using folder = new Folder();
  const args = [fixture("walks"), "--store", folder.store];
  const first = await command("run", [...args, "--json"]);
  assert.equal(first.code, 0);
  // As it is after a copy that leaves empty folders out.
  for (const name of ["tmp", "locks", "checkpoints"]) {
    Deno.removeSync(`${folder.store}/${name}`, { recursive: true });
  }
  await using held = await mounted(folder.store, "--bind", folder.store);
  if (held === undefined) return;
  assert.ok(await mount("-o", "remount,ro,bind", folder.store));
  const cached = await command("run", [...args, "--json"]);
  assert.equal(cached.code, 0, cached.stderr);
  const [before, again] = [first, cached].map((ended) => JSON.parse(ended.stdout));
  assert.deepEqual(again.outputs, before.outputs);
  assert.deepEqual([before.recorded, again.recorded], [true, false]);
  assert.match((await command("run", args)).stderr, /5 cached \(not recorded: the store is read-only\)/);

  const more = await command("run", [...args, "--set", "steps=13"]);
  assert.equal(more.code, 1);
  assert.match(more.stderr, /the store .* cannot be written, and 5 of 5 nodes have to run: walk@start=0/);
  assert.match(more.stderr, /--store DIR/);
  const forced = await command("run", [...args, "--force", "gather"]);
  assert.match(forced.stderr, /1 of 5 nodes have to run: gather/);
  for (
    const [task, ...rest] of [
      ["runs"],
      ["runs", "latest"],
      ["show", "sum"],
      ["verify"],
      ["export", "first", `${folder.path}/out`],
      ["report", "latest", "--out", `${folder.path}/report.html`],
      ["compare", "latest", "latest"],
      ["graph", fixture("walks")],
      ["run", fixture("walks"), "--dry-run", "--set", "steps=13"],
    ]
  ) {
    const ended = await command(task!, [...rest, "--store", folder.store]);
    assert.equal(ended.code, 0, `${task}: ${ended.stderr}`);
  }
  const sweep = await command("gc", ["--store", folder.store]);
  assert.equal(sweep.code, 1);
  assert.match(sweep.stderr, /cannot be opened[\s\S]*Make the store's folder writable/);
});

Deno.test("a store that this user may not write is used and shown; one that he may not read is told as that", async () => {
  using folder = new Folder();
  const args = [fixture("walks"), "--store", folder.store];
  assert.equal((await command("run", args)).code, 0);
  // Nothing keeps root from writing but a lack of this capability.
  const root = Deno.uid() === 0;
  if (!partNeeds("linux", !root || Deno.build.os === "linux")) return;
  const bare = async (task: string, ...args: string[]) => {
    const [program, ...first] = root
      ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--", Deno.execPath()]
      : [Deno.execPath()];
    const ended = await new Deno.Command(program!, { args: [...first, ...taskArguments(task, args)] })
      .output();
    return { code: ended.code, stderr: new TextDecoder().decode(ended.stderr) };
  };
  const change = (mode: string) => new Deno.Command("chmod", { args: ["-R", mode, folder.store] }).output();
  await change("a-w");
  const cached = await bare("run", ...args);
  assert.equal(cached.code, 0, cached.stderr);
  assert.match(cached.stderr, /5 cached \(not recorded: the store is read-only\)/);
  const more = await bare("run", ...args, "--set", "steps=13");
  assert.match(more.stderr, /the store .* cannot be written, and 5 of 5 nodes have to run/);
  const again = await bare("verify", "--execute", ...args);
  assert.equal(again.code, 1);
  assert.match(
    again.stderr,
    /the store .* cannot be written, and nodes that run again write into it\nMake it writable/,
  );
  await change("u+w");
  Deno.chmodSync(`${folder.store}/results`, 0);
  for (const task of [["verify"], ["gc"], ["run", fixture("walks")]]) {
    const ended = await bare(task[0]!, ...task.slice(1), "--store", folder.store);
    assert.equal(ended.code, 1);
    assert.match(
      ended.stderr,
      /\/results.* cannot be read: reading it failed[\s\S]*Make it and its folder readable/,
    );
  }
  Deno.chmodSync(`${folder.store}/results`, 0o700);
});

Deno.test("a store on another file system than the temporary folder and the project", async () => {
  using folder = new Folder();
  const disk = `${folder.path}/disk`;
  await using held = await mounted(disk, "-t", "tmpfs", "-o", "size=64m", "tmpfs");
  if (held === undefined) return;
  const ended = await command("run", [fixture("walks"), "--store", `${disk}/store`]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await command("verify", ["--store", `${disk}/store`])).code, 0);
});

Deno.test("something else in the place of one of the store's folders is told as that", async () => {
  using folder = new Folder();
  const args = [fixture("walks"), "--store", folder.store, "--jobs", "0"];
  assert.equal((await command("run", args)).code, 0);
  const places = ["tmp", "locks", "objects", "results", "runs"];
  for (const [i, name] of places.entries()) {
    const path = `${folder.store}/${name}`;
    Deno.renameSync(path, `${folder.path}/aside`);
    if (i % 2 === 0) Deno.writeTextFileSync(path, "mine");
    else Deno.symlinkSync("/nowhere/at/all", path);
    for (const task of ["run", "verify"]) {
      const ended = await command(task, task === "run" ? args : ["--store", folder.store]);
      assert.equal(ended.code, 1, `${name}: ${ended.stderr}`);
      assert.match(ended.stderr, new RegExp(`/${name} is neither a folder[^]*Move it away`), name);
    }
    Deno.removeSync(path);
    Deno.renameSync(`${folder.path}/aside`, path);
  }
  assert.match((await command("run", args)).stderr, /5 cached/);
});

Deno.test("a folder that is no store is left alone", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.store);
  Deno.writeTextFileSync(`${folder.store}/thesis.txt`, "mine");
  const ended = await command("run", [fixture("walks"), "--store", folder.store]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /is not a store and not empty \(it holds thesis\.txt\)/);
  assert.deepEqual([...Deno.readDirSync(folder.store)].map((entry) => entry.name), ["thesis.txt"]);
});

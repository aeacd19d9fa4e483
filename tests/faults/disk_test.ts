import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";

async function mount(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command("mount", { args, stdout: "null", stderr: "null" }).output();
  return success;
}

/** A mounted folder; undefined where this user may not mount (a failure in CI, which must exercise it). */
async function mounted(path: string, ...args: string[]): Promise<AsyncDisposable | undefined> {
  Deno.mkdirSync(path, { recursive: true });
  if (!await mount(...args, path)) {
    assert.equal(Deno.env.get("CI"), undefined, "CI must be able to mount a small file system for this test");
    console.log(`this user may not mount: ${path} was not tested`);
    return undefined;
  }
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

Deno.test("a read-only store: a run says so; looking, verifying and exporting work", async () => {
  using folder = new Folder();
  const args = [fixture("walks"), "--store", folder.store];
  assert.equal((await command("run", args)).code, 0);
  await using held = await mounted(folder.store, "--bind", folder.store);
  if (held === undefined) return;
  assert.ok(await mount("-o", "remount,ro,bind", folder.store));
  const run = await command("run", args);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /cannot be (?:written|opened)/);
  assert.match(run.stderr, /--store/);
  for (
    const [task, ...rest] of [["runs"], ["runs", "latest"], ["show", "sum"], ["verify"], [
      "export",
      "first",
      `${folder.path}/out`,
    ]]
  ) {
    const ended = await command(task!, [...rest, "--store", folder.store]);
    assert.equal(ended.code, 0, `${task}: ${ended.stderr}`);
  }
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

Deno.test("a folder that is no store is left alone", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.store);
  Deno.writeTextFileSync(`${folder.store}/thesis.txt`, "mine");
  const ended = await command("run", [fixture("walks"), "--store", folder.store]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /is not a store and not empty \(it holds thesis\.txt\)/);
  assert.deepEqual([...Deno.readDirSync(folder.store)].map((entry) => entry.name), ["thesis.txt"]);
});

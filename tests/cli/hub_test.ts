import assert from "node:assert/strict";
import { loadCircuit } from "../../circuits/mod.ts";
import { command, type CommandOptions, type Ended, fixture, Folder } from "../command.ts";
import { FakeHub } from "./fake_hub.ts";

const TOKEN = "hf_abcdefghijklmnopqrstuvwxyz0123";

/** Every byte of a folder, as text: what must hold no token. */
function allText(folder: string): string {
  return [...Deno.readDirSync(folder)].map(({ name, isDirectory, isFile }) => {
    const path = `${folder}/${name}`;
    return isDirectory
      ? allText(path)
      : isFile
      ? new TextDecoder("latin1").decode(Deno.readFileSync(path))
      : "";
  }).join("\n");
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}

Deno.test("a model is published with its card and got again, checked, resumed, never half; the token stands nowhere", async () => {
  using folder = new Folder();
  await using hub = new FakeHub(TOKEN);
  const store = ["--store", folder.store];
  const ran = await command("run", [fixture("shown"), ...store, "--set", "seeds=1", "--set", "rates=[0.01]"]);
  assert.equal(ran.code, 0, ran.stderr);
  const said: string[] = [];
  const call = async (
    task: string,
    args: readonly string[],
    options: CommandOptions = {},
  ): Promise<Ended> => {
    const env = { HF_ENDPOINT: hub.url, HF_TOKEN: TOKEN, ...options.env };
    const ended = await command(task, args, { ...options, env });
    said.push(ended.stdout, ended.stderr);
    return ended;
  };
  const publish = (ref: string, to: string, options: CommandOptions = {}) =>
    call("publish", [ref, "--to", to, ...store], options);

  // Wrong calls, before anything is asked.
  for (
    const [args, env, wanted] of [
      [
        ["choose:model", "--to", "me/model"],
        { HF_TOKEN: "" },
        /hub\/token.*needs an access token[\s\S]*set HF_TOKEN/,
      ],
      [["choose:model", "--to", "me/model"], { HF_TOKEN: "secret" }, /hub\/token.*begin with hf_/],
      [["choose:model", "--to", "model"], {}, /hub\/name[\s\S]*OWNER\/NAME/],
      [["choose:model", "--to", "me/../x"], {}, /hub\/name/],
      [["choose:notes", "--to", "me/model"], {}, /hub\/no-model.*is no model/],
      [["choose:model"], {}, /--to/],
    ] as const
  ) {
    const ended = await call("publish", [...args, ...store], { env });
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, wanted);
  }
  assert.equal(hub.asked.length, 0);
  const refused = await publish("choose:model", "me/model", { env: { HF_TOKEN: "hf_wrong" } });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /hub\/token.*the Hub refuses: Invalid credentials …/);

  // An attempt that breaks off publishes nothing; the next uploads what is missing alone.
  hub.uploads = 1;
  const broken = await publish("choose:model", "me/model");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /hub\/refused.*503: busy/);
  assert.deepEqual([...hub.files("me/model").keys()], [".gitattributes"]);
  const uploaded = hub.stored.size;
  assert.equal(uploaded, 1);
  hub.uploads = Infinity;
  hub.asked.length = 0;
  const done = await publish("choose:model", "me/model");
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /\/me\/model: \d+ files, .*, commit [0-9a-f]{12}/);
  const puts = hub.asked.filter(({ method }) => method === "PUT");
  assert.equal(puts.length, hub.stored.size - uploaded, "what was there was not uploaded again");
  assert.ok(puts.length > 0 && puts.every(({ token }) => token === null), "storage gets no token");
  assert.equal(hub.repositories.get("me/model")!.private, true, "nothing is public by accident");
  const published = hub.files("me/model");
  const card = new TextDecoder().decode(published.get("README.md"));
  assert.match(card, /^---\nlibrary_name: retort\ntags:\n[\s\S]*---\n\n# choose:model\n/);
  assert.ok(published.has("artifact.json"));

  // Got: a private model needs the token; what is there is what was published; a program reads it.
  const get = (to: string, ...args: string[]) => call("get", ["me/model", `${folder.path}/${to}`, ...args]);
  const without = await call("get", ["me/model", `${folder.path}/got`], { env: { HF_TOKEN: "" } });
  assert.match(without.stderr, /hub\/refused.*404.*Repository not found[\s\S]*Private repositories/);
  const got = await get("got", "--json");
  assert.equal(got.code, 0, got.stderr);
  const { digest } = JSON.parse((await command("show", ["choose:model", ...store, "--json"])).stdout);
  assert.equal(JSON.parse(got.stdout).digest, digest);
  for (const [path, bytes] of published) {
    if (path !== ".gitattributes") {
      assert.deepEqual(Deno.readFileSync(`${folder.path}/got/${path}`), bytes, path);
    }
  }
  assert.equal((await loadCircuit(`${folder.path}/got`)).variables.length, 4);
  assert.match((await get("got")).stderr, /command\/folder-not-empty/);

  // A line that is cut: nothing half, and the next attempt asks for the rest alone.
  const [large] = [...published].filter(([path]) => !["README.md", "artifact.json"].includes(path))
    .toSorted((a, b) => b[1].length - a[1].length);
  hub.cut = large![1].length - 10;
  const cut = await get("again");
  assert.equal(cut.code, 1, cut.stdout);
  assert.match(cut.stderr, /hub\/unreachable|hub\/damaged/);
  assert.ok(!names(folder.path).includes("again") && names(folder.path).includes(".again.part"));
  hub.cut = Infinity;
  hub.asked.length = 0;
  const resumed = await get("again");
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok(hub.asked.some(({ range }) => /^bytes=[1-9]\d*-/.test(range ?? "")), "it went on in the middle");
  assert.deepEqual(names(`${folder.path}/again`), names(`${folder.path}/got`));
  assert.ok(!names(folder.path).includes(".again.part"));

  // Bytes and descriptions that somebody changed are refused, and nothing is written.
  const old = hub.repositories.get("me/model")!.commits.at(-1)!.id;
  const text = new TextDecoder().decode(large![1]);
  const about = new TextDecoder().decode(published.get("artifact.json"));
  for (
    const [files, wanted] of [
      [{ [large![0]]: `${text.slice(0, -3)}9${text.slice(-2)}` }, /hub\/damaged.*other bytes/],
      [{ [large![0]]: `${text} ` }, /hub\/damaged.*bytes, not/],
      [
        { "artifact.json": about.replace(/"version": \d+/, '"version": 77') },
        /hub\/damaged.*not what its digest says/,
      ],
      [{ "artifact.json": about.replaceAll(large![0], "../out") }, /hub\/not-retort/],
      [{ "artifact.json": "{}" }, /hub\/not-retort/],
    ] as const
  ) {
    hub.put("me/model", files as Record<string, string>);
    const ended = await get("changed");
    assert.equal(ended.code, 1, ended.stdout);
    assert.match(ended.stderr, wanted);
    assert.ok(!names(folder.path).some((name) => name === "changed" || name === "out"));
  }
  assert.equal((await get("old", "--revision", old)).code, 0, "what was published before is still there");

  // Published again over it: by one commit, which takes out what is not of this model; others' repositories are left alone.
  hub.put("me/model", { "extra.txt": "left over" });
  assert.equal((await publish("choose:model", "me/model")).code, 0);
  assert.deepEqual([...hub.files("me/model").keys()].toSorted(), [...published.keys()].toSorted());
  hub.put("me/others", { "weights.bin": "not Retort's" });
  const others = await publish("choose:model", "me/others");
  assert.match(others.stderr, /hub\/not-retort.*holds other things: weights\.bin/);
  assert.deepEqual([...hub.files("me/others").keys()], ["weights.bin"]);

  await hub[Symbol.asyncDispose]();
  const gone = await get("gone");
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /hub\/unreachable[\s\S]*goes on where it stopped/);
  assert.ok(
    !said.join("\n").includes(TOKEN) && !allText(folder.path).includes(TOKEN),
    "the token stands nowhere",
  );
});

Deno.test("getting stops at Ctrl-C and goes on", async () => {
  using folder = new Folder();
  await using hub = new FakeHub(TOKEN);
  const store = ["--store", folder.store];
  await command("run", [fixture("shown"), ...store, "--set", "seeds=1", "--set", "rates=[0.01]"]);
  const env = { HF_ENDPOINT: hub.url, HF_TOKEN: TOKEN };
  assert.equal(
    (await command("publish", ["choose:model", "--to", "me/model", "--public", ...store], { env })).code,
    0,
  );
  assert.equal(hub.repositories.get("me/model")!.private, false);
  hub.cut = 100;
  hub.hang = true;
  const args = ["me/model", `${folder.path}/got`];
  const stopped = await command("get", args, {
    env: { HF_ENDPOINT: hub.url, HF_TOKEN: "" },
    onStart: async (child) => {
      while (!hub.asked.some(({ path }) => /resolve.*circuit/.test(path))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      setTimeout(() => child.kill("SIGINT"), 200);
    },
  });
  assert.match(stopped.stderr, /the same command goes on from here/);
  assert.match(stopped.stderr, /run\/interrupted.*getting me\/model was interrupted/);
  hub.cut = Infinity;
  const got = await command("get", args, { env: { HF_ENDPOINT: hub.url, HF_TOKEN: "" } });
  assert.equal(got.code, 0, got.stderr);
});

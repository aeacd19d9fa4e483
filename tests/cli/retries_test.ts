import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";

interface Attempt {
  readonly attempt: number;
  readonly cause: string | null;
  readonly code: string | null;
  readonly log: string;
}

async function run(folder: Folder, set: readonly string[], ...more: string[]) {
  Deno.mkdirSync(`${folder.path}/work`, { recursive: true });
  const all = [`folder=${folder.path}/work`, ...set].flatMap((one) => ["--set", one]);
  const ended = await command("run", [
    fixture("flaky"),
    "--store",
    folder.store,
    ...all,
    "--jobs",
    "2",
    ...more,
  ]);
  const shown = await command("runs", ["latest", "--store", folder.store, "--json"]);
  return { ...ended, attempts: (JSON.parse(shown.stdout).attempts ?? []) as Attempt[] };
}

for (
  const [trouble, cause, code] of [
    ["dies", "lost", "run/lost"],
    ["hangs", "timeout", "stage/timeout"],
    ["eats", "memory", "run/memory"],
  ]
) {
  Deno.test(`a node whose stage ${trouble} is tried again; both attempts are recorded`, async () => {
    using folder = new Folder();
    const ended = await run(folder, [`trouble=${trouble}`]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /retry {2}flaky\.once: .* \(attempt 1 of 2\)/);
    assert.deepEqual(ended.attempts.map(({ attempt, cause, code }) => [attempt, cause, code]), [
      [1, cause, code],
      [2, null, null],
    ]);
    const [first, second] = ended.attempts.map(({ log }) => Deno.readTextFileSync(`${folder.store}/${log}`));
    assert.match(first!, new RegExp(`failed \\[${code}\\]`));
    assert.notEqual(first, second);
    const shown = await command("runs", ["latest", "--store", folder.store]);
    assert.match(shown.stdout, new RegExp(`flaky\\.once +1 .*${cause}: `));
    assert.match(shown.stdout, /flaky\.once +2 .*done/);
  });
}

Deno.test("an error of the stage itself is not tried again, unless that is asked for", async () => {
  using folder = new Folder();
  const plain = await run(folder, ["trouble=throws"]);
  assert.equal(plain.code, 1);
  assert.deepEqual(plain.attempts.map(({ attempt, cause }) => [attempt, cause]), [[1, "error"]]);
  Deno.removeSync(`${folder.path}/work/calls`);
  const asked = await run(folder, ["trouble=throws", 'on=["error"]', "wait=0.2"]);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stderr, /attempt 1 of 2; the next in/);
});

Deno.test("retries have an end, and Ctrl-C does not wait for the next", async () => {
  using folder = new Folder();
  const failed = await run(folder, ["trouble=dies", "times=9", "retries=2"]);
  assert.equal(failed.code, 1);
  assert.deepEqual(failed.attempts.map(({ attempt, cause }) => [attempt, cause]), [
    [1, "lost"],
    [2, "lost"],
    [3, "lost"],
  ]);
  const began = performance.now();
  const args = [`folder=${folder.path}/work`, "trouble=dies", "times=99", "wait=600"].flatMap((
    s,
  ) => ["--set", s]);
  const stopped = await command("run", [fixture("flaky"), "--store", folder.store, ...args], {
    signals: [{ when: /retry/, after: 50, signal: "SIGINT" }],
  });
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.ok(performance.now() - began < 60_000);
});

Deno.test("what is wrong with policies and profiles is refused before anything runs, all at once", async () => {
  using folder = new Folder();
  const endless = await run(folder, ["trouble=dies", "retries=1000"]);
  assert.equal(endless.code, 2);
  assert.match(endless.stderr, /node of stage `flaky\.once`: `retries\.times`: .*20/);
  const profile = `${folder.path}/profile.json`;
  const refused = async (content: unknown, ...messages: RegExp[]) => {
    Deno.writeTextFileSync(profile, JSON.stringify(content));
    const { code, stderr } = await run(folder, ["parts=2"], "--profile", profile);
    assert.equal(code, 2, stderr);
    for (const message of messages) assert.match(stderr, message);
  };
  await refused(
    { stages: { "flaky.wrok": { cores: 2 }, "other.*": { time: 5 } } },
    /no stage `flaky\.wrok`; did you mean `flaky\.work`/,
    /no stage `other\.\*`/,
  );
  await refused(
    { stages: { "flaky.work": { cores: -1, memory: "much" } }, stagse: {} },
    /cores/,
    /amount/,
    /stagse/,
  );
  await refused(
    { pool: { memory: "1 GB" }, stages: { "flaky.work": { memory: "2 GB" } } },
    /node `flaky\.work@part=0` takes/,
    /node `flaky\.work@part=1` takes/,
  );
  assert.match((await run(folder, [], "--profile", `${folder.path}/none.json`)).stderr, /cannot be read/);
});

Deno.test("nodes run beside each other as far as the pool has what they take", async () => {
  for (const [cores, most] of [[2, 1], [1, 2]]) {
    using folder = new Folder();
    Deno.writeTextFileSync(
      `${folder.path}/profile.json`,
      JSON.stringify({ pool: { cores: 2 }, stages: { "flaky.work": { cores } } }),
    );
    const ended = await run(folder, ["parts=4"], "--profile", `${folder.path}/profile.json`, "--json");
    assert.equal(ended.code, 0, ended.stderr);
    const { outputs } = JSON.parse(ended.stdout);
    assert.equal(outputs.most.facts.value ?? Number(outputs.most.summary), most, ended.stdout);
  }
});

Deno.test("a default time limit of a profile ends what takes longer", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/profile.json`, JSON.stringify({ default: { time: 0.05 } }));
  const ended = await run(folder, ["parts=1"], "--profile", `${folder.path}/profile.json`);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /longer than its time limit of 0\.05 s/);
});

import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";

interface RunJson {
  readonly status: string;
  readonly nodes: readonly {
    readonly node: string;
    readonly state: string;
    readonly code: string | null;
    readonly error: string | null;
  }[];
}

/** What each trouble's code is, and what its message must say. */
const MESSAGES: Record<string, readonly [code: string, message: RegExp]> = {
  "throws": ["stage/threw", /the stage threw/],
  "hangs": ["stage/timeout", /ran longer than its time limit of 1 s/],
  "blocks": ["stage/timeout", /ran longer than its time limit of 1 s/],
  "wrong-type": [
    "artifact/value",
    /output `score` of node `bad` is not a `score`: `score`: .*expected number/i,
  ],
  "missing-output": ["stage/outputs", /stage `bad` returned no output `files`/],
  "extra-output": ["stage/outputs", /output `other` that it does not declare/],
  "null": ["stage/outputs", /returned null, expected an object with score, files/],
  "bad-name": ["artifact/file-name", /file name "..\/..\/outside.txt": it has a `..` segment/],
  "dies": ["run/lost", /the worker process ended by SIGKILL/],
  "own-code": ["own/no-labels", /^the table has no labels$/],
  "lost-file": ["artifact/missing-file", /\/nonexistent\/file/],
};

for (const [trouble, [code, message]] of Object.entries(MESSAGES)) {
  Deno.test(`a stage with trouble "${trouble}" fails alone, with a message that says so`, async () => {
    using folder = new Folder();
    const args = [fixture("troubles"), "--store", folder.store, "--set", `trouble=${trouble}`];
    const ended = await command("run", [...args, "--json"]);
    assert.equal(ended.code, 1, ended.stderr);
    const run = JSON.parse(ended.stdout) as RunJson;
    const states = Object.fromEntries(run.nodes.map((node) => [node.node, node.state]));
    assert.deepEqual(states, { good: "ran", bad: "failed", after: "skipped", aside: "ran" });
    const failed = run.nodes.find((node) => node.node === "bad")!;
    assert.match(failed.error!, message);
    assert.equal(failed.code, code);
    const shown = JSON.parse((await command("runs", ["latest", "--store", folder.store, "--json"])).stdout);
    const recorded = shown.nodes.find(({ node }: { node: { name: string } }) => node.name === "bad");
    assert.equal(recorded.node.code, code);
    assert.equal((await command("verify", ["--store", folder.store])).code, 0);
  });
}

Deno.test("the end of a failed run says what failed, where its log is and how to go on", async () => {
  using folder = new Folder();
  const args = [fixture("troubles"), "--store", folder.store];
  const failed = await command("run", [...args, "--set", "trouble=throws"]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /failed bad: the stage threw/);
  const log = /log: +(\S+)/.exec(failed.stderr)![1]!;
  assert.match(Deno.readTextFileSync(log), /the stage threw[\s\S]*troubles\.ts/);
  assert.match(failed.stderr, /deno task repro 'bad' --store/);
  assert.match(failed.stderr, /go on with: deno task run .*trouble=throws/);
  assert.doesNotMatch(failed.stderr, /at async|troubles\.ts:\d+/, "no stack trace without --verbose");

  // Alone and in the foreground, with its stack trace; a failure is never replayed from the cache.
  const again = await command("repro", ["bad", "--store", folder.store]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /fails again: the stage threw/);
  assert.match(again.stderr, /troubles\.ts:\d+/);
  const list = await command("repro", ["--store", folder.store]);
  assert.match(list.stdout, /bad +bad +\S+ +the stage threw/);
  const wrong = await command("repro", ["bda", "--store", folder.store]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /did you mean `bad`/);
});

Deno.test("the commands that a failed run names can be pasted, whatever stands in names and parameters", async () => {
  using folder = new Folder();
  const file = `${folder.path}/it's here.ts`;
  Deno.writeTextFileSync(
    file,
    `import { z } from "zod";
import { definePipeline, defineStage, text } from "retort";
export const bad = defineStage({ name: "bad", outputs: { text }, run: (): { text: string } => { throw new Error("bad"); } });
export default definePipeline({ name: "p", params: z.object({ node: z.string() }),
  build: ({ params }) => ({ text: bad({}, {}, { name: params.node }).text }) });
`,
  );
  const node = `a "b" 'c' $d *`;
  const failed = await command("run", [file, "--store", folder.store, "--set", `node=${node}`]);
  assert.equal(failed.code, 1, failed.stderr);
  const named = [/alone: +deno task (.*)/, /go on with: deno task (.*)/].map((line) =>
    line.exec(failed.stderr)![1]!
  );
  const words = named.map(async (line) => {
    const { stdout } = await new Deno.Command("sh", { args: ["-c", `printf '%s\\n' ${line}`] }).output();
    return new TextDecoder().decode(stdout).split("\n").slice(0, -1);
  });
  assert.deepEqual(await Promise.all(words), [
    ["repro", node, "--store", folder.store],
    ["run", file, "--store", folder.store, "--set", `node=${node}`],
  ]);
});

Deno.test("terminal commands in names and messages do not reach the terminal", async () => {
  using folder = new Folder();
  const args = [fixture("troubles"), "--store", folder.store, "--set", "trouble=escape"];
  const ended = await command("run", [...args, "--verbose"]);
  assert.equal(ended.code, 1);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(ended.stderr + ended.stdout, /[\u0000-\u0008\u001b\u0007]/);
});

Deno.test("verify --execute finds a stage that gives other bytes each time", async () => {
  using folder = new Folder();
  const args = [fixture("troubles"), "--store", folder.store, "--set", "trouble=random"];
  assert.equal((await command("run", args)).code, 0);
  const verified = await command("verify", ["--execute", ...args, "--json"]);
  assert.equal(verified.code, 1);
  const checks = JSON.parse(verified.stdout) as { node: string; state: string; detail: string }[];
  assert.deepEqual(checks.filter((check) => check.state !== "same").map((check) => check.node), ["bad"]);
  assert.match(checks.find((check) => check.node === "bad")!.detail, /output `score` in value\.json/);
});

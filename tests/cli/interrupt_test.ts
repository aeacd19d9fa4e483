import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";
import { needs } from "../needs.ts";

const WALKS = fixture("walks");
/** What `--verbose` shows when a stage is at work: the moment to disturb it. */
const AT_WORK = /log {4}\S+: begins/;

function outputs(stdout: string): unknown {
  const run = JSON.parse(stdout) as { outputs: Record<string, { digest: string }> };
  return Object.values(run.outputs).map((output) => output.digest);
}

Deno.test("Ctrl-C: checkpoints are written, exit code 130, the next run resumes in the middle", async () => {
  using folder = new Folder();
  using other = new Folder();
  const args = (
    store: string,
  ) => [WALKS, "--store", store, "--json", "--set", "steps=150", "--set", "walks=2"];
  const stopped = await command("run", [...args(folder.store), "--verbose"], {
    signals: [{ when: AT_WORK, after: 100, signal: "SIGINT" }],
  });
  assert.equal(stopped.code, 130, stopped.stderr);
  const run = JSON.parse(stopped.stdout) as { status: string; nodes: { state: string }[] };
  assert.equal(run.status, "interrupted");
  assert.ok(run.nodes.some((node) => node.state === "interrupted"));
  assert.ok([...Deno.readDirSync(`${folder.store}/checkpoints`)].length > 0, "checkpoints are there");
  assert.equal((await command("verify", ["--store", folder.store])).code, 0);

  const resumed = await command("run", args(folder.store));
  assert.equal(resumed.code, 0, resumed.stderr);
  const logs = [...Deno.readDirSync(`${folder.store}/runs`)].flatMap((one) =>
    [...Deno.readDirSync(`${folder.store}/runs/${one.name}`)]
      .map((log) => Deno.readTextFileSync(`${folder.store}/runs/${one.name}/${log.name}`))
  );
  assert.ok(logs.some((log) => /resumed at step [1-9]/.test(log)), "a stage went on in the middle");
  assert.deepEqual(
    [...Deno.readDirSync(`${folder.store}/checkpoints`)],
    [],
    "dropped when the stage completed",
  );
  assert.deepEqual(outputs(resumed.stdout), outputs((await command("run", args(other.store))).stdout));
});

Deno.test("a second Ctrl-C stops at once, also a stage that does not listen", async () => {
  using folder = new Folder();
  const pipeline = `${folder.path}/deaf.ts`;
  Deno.writeTextFileSync(
    pipeline,
    `import { definePipeline, defineStage, text } from "retort";
     export const deaf = defineStage({ name: "deaf", outputs: { text }, 
       run: ({ context }) => { context.log("begins"); while (true); } });
     export default definePipeline({ name: "deaf", build: () => ({ text: deaf({}).text }) });`,
  );
  let asked = Infinity;
  const ended = await command("run", [pipeline, "--store", folder.store, "--verbose"], {
    onErrors: (text) => {
      if (/Ctrl-C again/.test(text)) asked = Math.min(asked, performance.now());
    },
    signals: [
      { when: AT_WORK, after: 0, signal: "SIGINT" },
      { when: /Ctrl-C again stops at once/, after: 600, signal: "SIGINT" },
    ],
  });
  assert.equal(ended.code, 130);
  assert.match(ended.stderr, /Ctrl-C again stops at once[\s\S]*stopped at once/);
  assert.ok(performance.now() - asked < 9000, "it did not wait for the grace period");
  assert.equal((await command("verify", ["--store", folder.store])).code, 0);
});

Deno.test("one Ctrl-C that arrives twice is one", async () => {
  using folder = new Folder();
  const ended = await command("run", [WALKS, "--store", folder.store, "--set", "steps=200", "--verbose"], {
    signals: [
      { when: AT_WORK, after: 100, signal: "SIGINT" },
      { when: AT_WORK, after: 130, signal: "SIGINT" },
    ],
  });
  assert.equal(ended.code, 130);
  assert.match(ended.stderr, /interrupted in/);
  assert.doesNotMatch(ended.stderr, /stopped at once/);
  assert.match(ended.stderr, /Go on with: deno task run/);
});

Deno.test({
  name: "what a job's processes are all told, as Slurm does it, is the run's to decide: a stage goes on",
  ...needs("linux", Deno.build.os === "linux"),
  async fn() {
    using folder = new Folder();
    let run = 0, told = 0;
    const ended = await command("run", [WALKS, "--store", folder.store, "--set", "steps=150", "--verbose"], {
      onStart: ({ pid }) => run = pid,
      onErrors: (text) => {
        if (told > 0 || !AT_WORK.test(text)) return;
        for (const pid of childrenOf(run)) {
          if (!Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes("execute/worker.ts")) continue;
          for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT"] as const) Deno.kill(pid, signal);
          told++;
        }
      },
    });
    assert.ok(told > 0, "a worker is at work");
    assert.equal(ended.code, 0, ended.stderr);
  },
});

function childrenOf(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) =>
    Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").filter(Boolean).map(Number)
  );
}

Deno.test("a killed run is shown as killed", async () => {
  using folder = new Folder();
  await command("run", [WALKS, "--store", folder.store, "--set", "steps=500", "--verbose"], {
    signals: [{ when: AT_WORK, after: 0, signal: "SIGKILL" }],
  });
  const runs = await command("runs", ["--store", folder.store, "--json"]);
  assert.equal((JSON.parse(runs.stdout) as { status: string }[])[0]!.status, "killed");
});

Deno.test("on a terminal there is a live line a running node: bar, rate, time left, last metric", async () => {
  using folder = new Folder();
  const line =
    `stty cols 140 rows 40; ${Deno.execPath()} run --allow-all --config ${Deno.cwd()}/deno.json cli/main.ts run ${WALKS} ` +
    `--store ${folder.store} --set steps=150 --set walks=1`;
  const { stdout, code } = await new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    env: { TERM: "xterm", CI: "" },
    clearEnv: false,
    stdin: "null",
  }).output();
  const screen = new TextDecoder().decode(stdout);
  assert.equal(code, 0, screen);
  assert.match(screen, /walk@start=0|walk/);
  assert.match(
    screen,
    /\[█*░*\] {2}\d+\/150 steps {2}[\d.]+ steps\/s {2}[\d.]+ s left {2}[\d.]+ s {2}value \d+/,
  );
});

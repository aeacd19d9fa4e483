import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ExecutorKind } from "../../runner/execute/executor.ts";
import { JobQueue } from "../../runner/execute/queue.ts";
import { QueueExecutor } from "../../runner/execute/queue_executor.ts";
import { slurmQueue } from "../../runner/execute/slurm_commands.ts";
import type { SlurmSite } from "../../runner/execute/slurm_site.ts";
import { SlurmSource } from "../../runner/execute/slurm_source.ts";
import type { RunSummary } from "../../runner/run_summary.ts";
import { PipelineSession } from "../../runner/session.ts";
import { Store } from "../../runner/store/store.ts";
import { command, Folder, ROOT, taskArguments } from "../command.ts";
import { onSlurm, SlurmCluster } from "../slurm.ts";
import { nodesIn } from "./letters.ts";

/** Path of a pipeline of the project, or of one among the fixtures. */
const fileOf = (name: string) =>
  fileURLToPath(
    new URL(name.includes("/") ? `../../${name}.ts` : `../fixtures/pipelines/${name}.ts`, import.meta.url),
  );

/** The executor `slurm` that takes a worker for gone sooner, so that tests need not wait. */
function slurm(limit: number, site: SlurmSite = {}): ExecutorKind {
  const open = () => new QueueExecutor(64, 6000, new SlurmSource(limit, { idle: 2, ...site }));
  return { name: "slurm", elsewhere: true, open };
}

/** Parameters of a text pipeline with little text, whose arms are trained in eight shards. */
function shardedText({ path }: Folder): string[] {
  for (const [name, count] of [["train", 48], ["valid", 12], ["test", 12]] as const) {
    const lines = Array.from({ length: count }, (_, i) => `the ${"abc"[i % 3]} sees ${i % 7} of ${i % 5} .`);
    Deno.writeTextFileSync(`${path}/${name}.txt`, `${lines.join("\n")}\n`);
  }
  return [
    ...["train", "valid", "test"].map((name) => `text.${name}=${path}/${name}.txt`),
    ...["by=spaces", "ends=lines", "minimum=1", "window=7", "states=[3]", 'teachers=["noise"]'],
    ...["iterations=2", "epochs=2", "shards=8", "parts=2"],
  ];
}

/** A run of a pipeline, with what its nodes told. */
class Trial {
  readonly logs: string[] = [];

  constructor(readonly store: string, readonly file: string, readonly set: readonly string[]) {}

  async run(executor?: ExecutorKind, profile?: string): Promise<RunSummary> {
    await using session = await PipelineSession.open({
      file: fileOf(this.file),
      store: this.store,
      set: this.set,
      ...(executor === undefined ? {} : { executor }),
      ...(profile === undefined ? {} : { profile }),
    });
    return await session.run({
      jobs: executor === undefined ? 0 : 4,
      command: "test",
      stop: new AbortController().signal,
      onEvent: (event) => void (event.type === "node-log" && this.logs.push(event.text)),
    });
  }

  /** Waits until a node tells something. */
  async told(pattern: RegExp, count = 1): Promise<string[]> {
    for (let tries = 0; tries < 600; tries++) {
      const found = this.logs.filter((text) => pattern.test(text));
      if (found.length >= count) return found;
      await pause(50);
    }
    throw new Error(`nothing like ${pattern} was told:\n${this.logs.join("\n")}`);
  }

  /** What the workers printed. */
  printed(): string[] {
    const folder = `${this.store}/queue/slurm`;
    return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
      Deno.readTextFileSync(`${folder}/${name}`).trim().split("\n").filter((line) => line !== "")
    );
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const digests = (summary: RunSummary) =>
  Object.fromEntries(summary.nodes.map(({ node, outputs }) => [
    node.name,
    Object.values(outputs ?? {}).map((artifact) => artifact.digest).sort(),
  ]));

/** Walks that take three seconds each and save what they have. */
const WALKS = ["walks=4", "steps=60", "pause=50", "hasty=5"];

Deno.test({
  ...onSlurm,
  name: "Slurm starts the workers of a run, and what may go wrong with a cluster loses nothing",
  async fn(test) {
    await using cluster = await SlurmCluster.start();
    using here = new Folder();
    const expected = digests(await new Trial(here.store, "walks", ["walks=4", "steps=60", "pause=0"]).run());
    const fresh = (set = WALKS) => {
      const folder = new Folder();
      return { folder, trial: new Trial(folder.store, "walks", set) };
    };
    // Parameters that only slow it down are in keys, not in bytes.
    const same = (summary: RunSummary) => {
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      assert.deepEqual(Object.values(digests(summary)).sort(), Object.values(expected).sort());
    };

    await test.step("many small nodes share few workers", async () => {
      using folder = new Folder();
      const set = ["walks=60", "steps=1", "pause=0"];
      const trial = new Trial(folder.store, "walks", set);
      const summary = await trial.run(slurm(3));
      assert.equal(summary.status, "done");
      const workers = [...Deno.readDirSync(`${folder.store}/queue/slurm`)].length;
      assert.ok(workers <= 4, `${workers} workers for 61 nodes`);
      assert.equal(trial.printed().filter((line) => /^done /.test(line)).length, 61);
    });

    await test.step("the controller is away for a while, and jobs fall out of its sight", async () => {
      const { folder, trial } = fresh();
      using _ = folder;
      const running = trial.run(slurm(4));
      await trial.told(/^worker /, 2);
      await cluster.kill("slurmctld");
      await pause(3000);
      cluster.startController();
      same(await running);
      assert.equal(trial.printed().filter((line) => /^done walk/.test(line)).length, 4, "nothing ran twice");
    });

    await test.step("a node is lost in the middle, and another one is drained", async () => {
      const { folder, trial } = fresh();
      using _ = folder;
      const running = trial.run(slurm(4));
      const [first] = await trial.told(/^worker /, 4);
      await pause(1500); // Until they have saved something.
      const node = /^worker (n\d)/.exec(first!)![1]!;
      const other = cluster.nodes.find((name) => name !== node)!;
      await cluster.control("update", `nodename=${other}`, "state=drain", "reason=test");
      await cluster.kill(node);
      same(await running);
      assert.ok(trial.logs.some((text) => new RegExp(`on ${node} is gone; another one gets`).test(text)));
      assert.ok(trial.logs.some((text) => /^resumed at step [1-9]/.test(text)), trial.logs.join("\n"));
      cluster.startNode(node);
      for (const name of [node, other]) {
        await cluster.control("update", `nodename=${name}`, "state=resume").catch(() => {});
      }
    });

    await test.step("a job that has to make room saves its checkpoint, and goes on where it was", async () => {
      // Long enough to be at work when Slurm comes to it.
      const { folder, trial } = fresh(["walks=2", "steps=400", "pause=50", "hasty=5"]);
      using _ = folder;
      const running = trial.run(slurm(2));
      await trial.told(/^begins/, 2);
      await pause(1500);
      const elements = (await slurmQueue()).filter(({ state }) => state === "RUNNING").map(({ id }) => id);
      await cluster.control("requeue", elements[0]!);
      // As Slurm does before the time of a job is over.
      await new Deno.Command("scancel", { args: ["--batch", "--signal=USR1", elements[1]!] }).output();
      const summary = await running;
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      assert.ok(trial.logs.filter((text) => /^resumed at step [1-9]/.test(text)).length >= 2);
      const whole = new Trial(here.store, "walks", ["walks=2", "steps=400", "pause=0"]);
      assert.deepEqual(
        Object.values(digests(summary)).sort(),
        Object.values(digests(await whole.run())).sort(),
      );
    });

    await test.step("a driver that dies leaves its jobs, and a new one goes on with them", async () => {
      const { folder, trial } = fresh();
      using _ = folder;
      const profile = `${folder.path}/site.json`;
      Deno.writeTextFileSync(profile, JSON.stringify({ slurm: { idle: 2 } }));
      const driver = new Deno.Command(Deno.execPath(), {
        args: taskArguments("run", [
          ...[fileOf("walks"), "--executor", "slurm", "--store", folder.store, "--profile", profile],
          ...WALKS.flatMap((one) => ["--set", one]),
        ]),
        cwd: ROOT,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      Store.open(folder.store, { create: true });
      const queue = new JobQueue(Store.open(folder.store));
      for (let tries = 0; queue.look().taken.size < 2; tries++) {
        assert.ok(tries < 600, "it leaves jobs in the queue");
        await pause(50);
      }
      driver.kill("SIGKILL");
      await driver.status;
      same(await trial.run(slurm(4)));
      const done = trial.printed().filter((line) => /^done walk/.test(line));
      assert.equal(done.length, 4, `nothing ran twice: ${done}`);
    });

    await test.step("a model that is learned in shards has the bytes of one machine, though a node is lost", async () => {
      using folder = new Folder();
      using one = new Folder();
      const expected = digests(await new Trial(one.store, "sharded", []).run());
      const trial = new Trial(folder.store, "sharded", []);
      const running = trial.run(slurm(4));
      const [first] = await trial.told(/^worker /, 6);
      const node = /^worker (n\d)/.exec(first!)![1]!;
      await cluster.kill(node);
      const summary = await running;
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      assert.deepEqual(digests(summary), expected);
      cluster.startNode(node);
      await cluster.control("update", `nodename=${node}`, "state=resume").catch(() => {});
    });

    await test.step("arms of texts in shards have the bytes of one machine, though the driver is killed, a node lost and one drained", async () => {
      using folder = new Folder();
      using one = new Folder();
      const set = shardedText(folder), file = "pipelines/text_hmm";
      const profile = `${folder.path}/site.json`;
      Deno.writeTextFileSync(profile, JSON.stringify({ slurm: { idle: 2 } }));
      const args = [fileOf(file), ...set.flatMap((value) => ["--set", value])];
      const alone = await command("run", [
        ...[...args, "--store", one.store, "--executor", "processes", "--jobs", "1"],
      ]);
      assert.equal(alone.code, 0, alone.stderr);
      const driver = await command(
        "run",
        [...args, "--store", folder.store, "--executor", "slurm", "--profile", profile],
        { signals: [{ when: /epoch 1, shard 3/, after: 0, signal: "SIGKILL" }] },
      );
      assert.notEqual(driver.code, 0, "it was killed");
      const trial = new Trial(folder.store, file, set);
      const running = trial.run(slurm(4));
      const [first] = await trial.told(/^worker /, 6);
      const node = /^worker (n\d)/.exec(first!)![1]!;
      const other = cluster.nodes.find((name) => name !== node)!;
      await cluster.control("update", `nodename=${other}`, "state=drain", "reason=test");
      await cluster.kill(node);
      const summary = await running;
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      assert.deepEqual(digests(summary), digests(await new Trial(one.store, file, set).run()));
      cluster.startNode(node);
      for (const name of [node, other]) {
        await cluster.control("update", `nodename=${name}`, "state=resume").catch(() => {});
      }
    });

    await test.step("more memory than a node asked for is told as that, and the next attempt asks for twice as much", async () => {
      using folder = new Folder();
      const set = [`folder=${folder.path}`, "trouble=eats", "times=2", "retries=2"];
      const trial = new Trial(folder.store, "flaky", set);
      const profile = `${folder.path}/site.json`;
      Deno.writeTextFileSync(profile, JSON.stringify({ stages: { "flaky.once": { memory: "300 MB" } } }));
      const summary = await trial.run(slurm(2), profile);
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      await using session = await PipelineSession.open({ file: fileOf("flaky"), store: folder.store, set });
      const attempts = session.records.attempts(summary.run).filter(({ cause }) => cause === "memory");
      const limits = attempts.map(({ error }) => /its limit is (.*)$/.exec(error!)?.[1]);
      assert.deepEqual(limits, ["300 MB", "600 MB"]);
      const place = session.records.places(summary.run).find(({ node }) => node.startsWith("flaky.once"))!;
      assert.match(place.host!, /^n\d$/);
      assert.ok(place.waited! > 0 && place.memory === 1_200_000_000 && place.time === 60);
      const shown = await command("runs", [summary.run, "--store", folder.store]);
      assert.match(
        shown.stdout,
        /^NODE +RAN ON +WAITED +MEMORY +OF +TOOK +OF\n(?:.*\n)*flaky\.once +n\d .* 1\.20 GB .* 1 min 0 s/m,
      );
    });

    await test.step("jobs that end before a worker begins are told with what they printed", async () => {
      using folder = new Folder();
      const trial = new Trial(folder.store, "walks", WALKS);
      const summary = await trial.run(slurm(1, { setup: ["echo there is no such module", "exit 3"] }));
      assert.equal(nodesIn(summary, "failed").length, 4);
      const { code, error } = summary.nodes.find(({ state }) => state === "failed")!;
      assert.equal(code, "run/slurm");
      assert.match(error!, /3 arrays of Slurm in a row ended before a worker began; .*no such module/);
    });

    await test.step("options that Slurm refuses are told as it says it", async () => {
      using folder = new Folder();
      const trial = new Trial(folder.store, "walks", WALKS);
      const summary = await trial.run(slurm(1, { options: ["--partition=lnog"] }));
      const { code, error } = summary.nodes.find(({ state }) => state === "failed")!;
      assert.equal(code, "run/slurm");
      assert.match(error!, /sbatch failed: .*invalid partition/s);
    });
  },
});

import assert from "node:assert/strict";
import type { Job } from "../../runner/execute/job.ts";
import { JobQueue } from "../../runner/execute/queue.ts";
import { slurmQueue } from "../../runner/execute/slurm_commands.ts";
import { SlurmSource } from "../../runner/execute/slurm_source.ts";
import type { RunSummary } from "../../runner/run_summary.ts";
import { PipelineSession } from "../../runner/session.ts";
import { Store } from "../../runner/store/store.ts";
import { command, fixture, Folder, ROOT, taskArguments } from "../command.ts";
import { onSlurm, SlurmCluster } from "../slurm.ts";
import { nodesIn } from "./letters.ts";
import { outputsByNode, pause, pipelineFile, quickSlurm, Trial, waitUntil } from "./trial.ts";

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

/** A program in the place of another one. */
class StandIn extends Folder {
  readonly #before = Deno.env.get("PATH")!;

  constructor(program: string, script: string) {
    super();
    Deno.writeTextFileSync(`${this.path}/${program}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    Deno.env.set("PATH", `${this.path}:${this.#before}`);
  }

  override [Symbol.dispose](): void {
    Deno.env.set("PATH", this.#before);
    super[Symbol.dispose]();
  }
}

async function isQueueEmpty(): Promise<boolean> {
  return (await slurmQueue()).length === 0;
}

/** Nothing ran twice, once the workers have told of all. */
async function ranOnce(trial: Trial): Promise<void> {
  const done = () => trial.printed().filter((line) => /^done walk/.test(line));
  await waitUntil("the workers have told of four walks", () => done().length >= 4);
  assert.equal(done().length, 4, `nothing ran twice: ${done()}`);
}

/** Walks that take two seconds each and save what they have. */
const WALKS = ["walks=4", "steps=40", "pause=50", "hasty=5"];

Deno.test({
  ...onSlurm(),
  name: "Slurm starts the workers of a run, and what may go wrong with a cluster loses nothing",
  async fn(test) {
    await using cluster = await SlurmCluster.start();
    using here = new Folder();
    const fresh = (set = WALKS) => {
      const folder = new Folder();
      return { folder, trial: new Trial(folder.store, "walks", set) };
    };
    /** Walks that stay at work, whatever happens to them, until they are let go. */
    const held = (walks = 4) => {
      const folder = new Folder();
      const go = `${folder.path}/go`;
      const trial = new Trial(folder.store, "walks", [`walks=${walks}`, ...WALKS.slice(1), `held=${go}`]);
      return { folder, trial, letGo: () => Deno.writeTextFileSync(go, "") };
    };
    /** The bytes are those of one machine. */
    const same = async (summary: RunSummary, set = WALKS) => {
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      // Parameters that only slow it down are in keys, not in bytes.
      const quick = [...set.filter((one) => /^(?:walks|steps)=/.test(one)), "pause=0"];
      const expected = outputsByNode(await new Trial(here.store, "walks", quick).run());
      assert.deepEqual(outputsByNode(summary), expected);
    };

    await test.step("there is no accounting, as on many clusters", async () => {
      const { success, stderr } = await new Deno.Command("sacct").output();
      assert.ok(!success);
      assert.match(new TextDecoder().decode(stderr), /accounting storage is disabled/);
    });

    await test.step("many small nodes share few workers", async () => {
      using folder = new Folder();
      const set = ["walks=60", "steps=1", "pause=0"];
      const trial = new Trial(folder.store, "walks", set);
      const summary = await trial.run(quickSlurm(3));
      assert.equal(summary.status, "done");
      const workers = [...Deno.readDirSync(`${folder.store}/queue/slurm`)].length;
      assert.ok(workers <= 4, `${workers} workers for 61 nodes`);
      await waitUntil(
        "they tell of 61 nodes",
        () => trial.printed().filter((line) => /^done /.test(line)).length === 61,
      );
    });

    await test.step("3,000 tiny jobs are arrays, none of them larger than the cluster allows, of so many workers as were asked for", async () => {
      using folder = new Folder();
      const store = Store.open(folder.store, { create: true });
      await waitUntil("the workers before have ended", isQueueEmpty);
      // Nothing of a job counts here but what it takes.
      const jobs = Array<Job>(3000).fill({ cores: 1, memory: null } as Job);
      await using source = new SlurmSource(30, { idle: 0 });
      source.provide(store, jobs, []);
      await waitUntil("they are submitted", async () => (await slurmQueue()).length > 0);
      await waitUntil("Slurm was asked", () => source.provide(store, jobs, []).waitsFor !== undefined);
      const elements = await slurmQueue();
      const sizes = Map.groupBy(elements, ({ id }) => id.split("_")[0]!).values().map((all) => all.length);
      assert.ok(elements.length <= 30 && [...sizes].every((size) => size <= 11), `${elements.length}`);
      await new Deno.Command("scancel", { args: ["--me"] }).output();
    });

    await test.step("Slurm shows none of its jobs for a while: absence is no failure", async () => {
      const { folder, trial } = fresh();
      using _ = folder;
      const running = trial.run(quickSlurm(4));
      await trial.told(/^begins/, 2);
      {
        using _squeue = new StandIn("squeue", "exit 0");
        await pause(5000);
      }
      await same(await running);
      await ranOnce(trial);
      assert.ok(!trial.logs.some((text) => /is gone/.test(text)), trial.logs.join("\n"));
    });

    await test.step("workers that are killed before their first line are submitted again", async () => {
      const { folder, trial } = fresh();
      using _ = folder;
      const first = `${folder.path}/first`;
      await same(await trial.run(quickSlurm(1, { setup: [`mkdir ${first} 2>/dev/null && kill -KILL $$`] })));
      assert.ok(Deno.statSync(first).isDirectory);
    });

    await test.step("the controller is away for a while, and jobs fall out of its sight", async () => {
      const { folder, trial } = fresh();
      using _ = folder;
      const running = trial.run(quickSlurm(4));
      await trial.told(/^worker .*: Deno/, 2);
      await cluster.kill("slurmctld");
      await pause(3000);
      cluster.startController();
      await same(await running);
      await ranOnce(trial);
      // It gives the numbers of jobs that it has forgotten to others, and nodes that still have them take no more.
      await waitUntil("the workers have ended", () => cluster.processes().length === 0);
    });

    await test.step("a node is lost in the middle, and another one is drained", async () => {
      const { folder, trial, letGo } = held();
      using _ = folder;
      const running = trial.run(quickSlurm(4));
      const [node] = (await trial.saving()).split("-");
      const other = cluster.nodes.find((name) => name !== node)!;
      await cluster.control("update", `nodename=${other}`, "state=drain", "reason=test");
      await cluster.kill(node!);
      try {
        await trial.told(new RegExp(`on ${node} is gone; another one gets`));
        // Jobs have whole nodes here, so that its job waits for another one's end.
        letGo();
        await same(await running);
        assert.ok(trial.logs.some((text) => /^resumed at step [1-9]/.test(text)), trial.logs.join("\n"));
      } finally {
        cluster.startNode(node!);
        for (const name of [node, other]) {
          await cluster.control("update", `nodename=${name}`, "state=resume").catch(() => {});
        }
      }
    });

    await test.step("a job that has to make room saves its checkpoint, and goes on where it was", async () => {
      await waitUntil("the workers before have ended", isQueueEmpty);
      const { folder, trial, letGo } = held(2);
      using _ = folder;
      const running = trial.run(quickSlurm(2));
      await trial.hasSaved(2);
      const elements = (await slurmQueue()).filter(({ state }) => state === "RUNNING").map(({ id }) => id);
      await cluster.control("requeue", elements[0]!);
      // As Slurm does before the time of a job is over.
      await new Deno.Command("scancel", { args: ["--batch", "--signal=USR1", elements[1]!] }).output();
      await trial.told(/^resumed at step [1-9]/, 2);
      letGo();
      await same(await running, ["walks=2", ...WALKS.slice(1)]);
    });

    await test.step("jobs of a partition that goes before have its place, and what has to go saves its checkpoint", async () => {
      const { folder, trial, letGo } = held();
      using _ = folder;
      const running = trial.run(quickSlurm(4));
      await trial.saving();
      const urgent = [
        "--partition=urgent",
        "--nodes=4",
        "--exclusive",
        "--output=/dev/null",
        "--wrap=sleep 2",
      ];
      const { success } = await new Deno.Command("sbatch", { args: urgent }).output();
      assert.ok(success);
      await trial.told(/^resumed at step [1-9]/);
      letGo();
      await same(await running);
    });

    await test.step("a run that is cancelled takes back what waits, saves what is at work, and leaves Slurm's queue empty", async () => {
      const { folder, trial } = held(9);
      using _ = folder;
      const running = trial.run(quickSlurm(12, { options: ["--cpus-per-task=2"] }));
      await waitUntil("some wait", async () => (await slurmQueue()).some(({ state }) => state === "PENDING"));
      await trial.hasSaved();
      trial.cancel();
      const summary = await running;
      assert.equal(summary.status, "interrupted");
      assert.equal(nodesIn(summary, "failed").length, 0);
      await trial.hasSaved();
      const { waiting, taken } = new JobQueue(Store.open(folder.store)).look();
      assert.deepEqual([...waiting, ...taken.keys()], []);
      await waitUntil("Slurm's queue is empty", isQueueEmpty);
    });

    await test.step("a driver that dies leaves its jobs, and a new one goes on with them", async () => {
      const { folder, trial } = fresh();
      using _ = folder;
      const profile = `${folder.path}/site.json`;
      Deno.writeTextFileSync(profile, JSON.stringify({ slurm: { idle: 2 } }));
      const driver = new Deno.Command(Deno.execPath(), {
        args: taskArguments("run", [
          ...[fixture("walks"), "--executor", "slurm", "--store", folder.store, "--profile", profile],
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
      await same(await trial.run(quickSlurm(4)));
      await ranOnce(trial);
    });

    await test.step("a model that is learned in shards has the bytes of one machine, though a node is lost", async () => {
      using folder = new Folder();
      using one = new Folder();
      const expected = outputsByNode(await new Trial(one.store, "sharded", []).run());
      const trial = new Trial(folder.store, "sharded", []);
      const running = trial.run(quickSlurm(4));
      const [first] = await trial.told(/^worker .*: Deno/, 6);
      const node = /^worker (n\d)/.exec(first!)![1]!;
      await cluster.kill(node);
      const summary = await running;
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      assert.deepEqual(outputsByNode(summary), expected);
      cluster.startNode(node);
      await cluster.control("update", `nodename=${node}`, "state=resume").catch(() => {});
    });

    await test.step("arms of texts in shards have the bytes of one machine, though the driver is killed, a node lost and one drained", async () => {
      using folder = new Folder();
      using one = new Folder();
      const set = shardedText(folder), file = "pipelines/text_hmm";
      const profile = `${folder.path}/site.json`;
      Deno.writeTextFileSync(profile, JSON.stringify({ slurm: { idle: 2 } }));
      const args = [pipelineFile(file), ...set.flatMap((value) => ["--set", value])];
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
      const running = trial.run(quickSlurm(4));
      const [first] = await trial.told(/^worker /, 6);
      const node = /^worker (n\d)/.exec(first!)![1]!;
      const other = cluster.nodes.find((name) => name !== node)!;
      await cluster.control("update", `nodename=${other}`, "state=drain", "reason=test");
      await cluster.kill(node);
      const summary = await running;
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      assert.deepEqual(outputsByNode(summary), outputsByNode(await new Trial(one.store, file, set).run()));
      cluster.startNode(node);
      for (const name of [node, other]) {
        await cluster.control("update", `nodename=${name}`, "state=resume").catch(() => {});
      }
    });

    await test.step("a worker that Slurm ends for want of memory is told as that", async () => {
      await waitUntil("the workers before have ended", isQueueEmpty);
      // These clusters bound no memory, so that only the answer of Slurm is another's.
      using _scontrol = new StandIn("scontrol", "echo JobId=1 JobState=OUT_OF_MEMORY Reason=OutOfMemory");
      const { folder, trial, letGo } = held(1);
      using _ = folder;
      const profile = `${folder.path}/site.json`;
      const stages = { walk: { memory: "400 MB", retries: { times: 1 } } };
      Deno.writeTextFileSync(profile, JSON.stringify({ stages }));
      const running = trial.run(quickSlurm(1), profile);
      const worker = await trial.saving();
      Deno.kill(new JobQueue(Store.open(folder.store)).beats().get(worker)!.pid, "SIGKILL");
      letGo();
      const summary = await running;
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      await using session = await PipelineSession.open({ file: fixture("walks"), store: folder.store });
      const [first] = session.records.attempts(summary.run);
      assert.equal(first!.code, "run/memory");
      assert.match(first!.error!, /its worker, job \d+_\d+ of Slurm, was ended for taking more memory/);
      assert.equal(
        session.records.places(summary.run).find(({ node }) => node === "walk")!.memory,
        800_000_000,
      );
    });

    await test.step("more memory than a node asked for is told as that, and the next attempt asks for twice as much", async () => {
      using folder = new Folder();
      const set = [`folder=${folder.path}`, "trouble=eats", "times=2", "retries=2"];
      const trial = new Trial(folder.store, "flaky", set);
      const profile = `${folder.path}/site.json`;
      Deno.writeTextFileSync(profile, JSON.stringify({ stages: { "flaky.once": { memory: "300 MB" } } }));
      const summary = await trial.run(quickSlurm(2), profile);
      assert.equal(summary.status, "done", JSON.stringify(summary.nodes.map(({ error }) => error)));
      await using session = await PipelineSession.open({ file: fixture("flaky"), store: folder.store, set });
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
      const summary = await trial.run(quickSlurm(1, { setup: ["echo there is no such module", "exit 3"] }));
      assert.equal(nodesIn(summary, "failed").length, 4);
      const { code, error } = summary.nodes.find(({ state }) => state === "failed")!;
      assert.equal(code, "run/slurm");
      assert.match(error!, /3 arrays of Slurm in a row ended before a worker began; .*no such module/);
    });

    await test.step("options that Slurm refuses are told as it says it", async () => {
      using folder = new Folder();
      const trial = new Trial(folder.store, "walks", WALKS);
      const summary = await trial.run(quickSlurm(1, { options: ["--partition=lnog"] }));
      const { code, error } = summary.nodes.find(({ state }) => state === "failed")!;
      assert.equal(code, "run/slurm");
      assert.match(error!, /sbatch failed: .*invalid partition/s);
    });
  },
});

import assert from "node:assert/strict";
import { findGpu } from "../../foundation/gpu.ts";
import { command, fixture, Folder } from "../command.ts";
import { needs } from "../needs.ts";

const adapter = (await findGpu()?.requestAdapter())?.info.description;
const { ignore } = needs("webgpu", adapter !== undefined);

interface Run {
  readonly outputs: Record<string, { readonly digest: string; readonly facts: Record<string, unknown> }>;
}

async function run(store: string, engine: string, interrupt = false, more: string[] = []) {
  const args = [fixture("training"), "--store", store, "--json", "--engine", engine, "--jobs", "1"];
  return await command("run", [...args, "--set", "count=60", "--set", "epochs=4", ...more], {
    env: { RETORT_CHECKPOINT_SECONDS: "0" },
    ...(interrupt && { onStart: (child: Deno.ChildProcess) => interruptTraining(child, store) }),
  });
}

/** Ctrl-C as soon as a state was saved. */
function interruptTraining(child: Deno.ChildProcess, store: string): void {
  const timer = setInterval(() => {
    try {
      if ([...Deno.readDirSync(`${store}/checkpoints`)].length === 0) return;
      clearInterval(timer);
      child.kill("SIGINT");
    } catch {
      // Not there yet, or over.
    }
  }, 5);
  child.status.then(() => clearInterval(timer));
}

/** The numbers in what an output's value says. */
async function score(store: string): Promise<number> {
  const { code, stdout, stderr } = await command("show", ["latest/score", "--store", store, "--json"]);
  assert.equal(code, 0, stderr);
  const found = /"logLikelihood"\s*:\s*(-[\d.]+)/.exec(stdout);
  assert.ok(found !== null, stdout);
  return Number(found[1]);
}

Deno.test({
  name: "a training on either engine ends with the same score; on WebGPU it is interrupted and goes on",
  ignore,
  async fn() {
    using folder = new Folder();
    const stores = { cpu: `${folder.store}-cpu`, calm: `${folder.store}-calm`, gpu: `${folder.store}-gpu` };
    const cpu = await run(stores.cpu, "cpu");
    assert.equal(cpu.code, 0, cpu.stderr);
    const calm = await run(stores.calm, "auto", false, ["--adapter", adapter!.slice(0, 6)]);
    assert.equal(calm.code, 0, calm.stderr);
    const stopped = await run(stores.gpu, "webgpu", true);
    assert.equal(stopped.code, 130, stopped.stderr);
    const resumed = await run(stores.gpu, "webgpu");
    assert.equal(resumed.code, 0, resumed.stderr);

    const [a, b] = [await score(stores.cpu), await score(stores.gpu)];
    assert.ok(Math.abs(a - b) <= 1e-3, `${a} on cpu, ${b} on webgpu`);
    const digests = (text: string) =>
      Object.entries((JSON.parse(text) as Run).outputs).map(([name, { digest }]) => [name, digest]);
    assert.deepEqual(digests(resumed.stdout), digests(calm.stdout));
    const records = await command("runs", ["latest", "--store", stores.calm, "--json"]);
    assert.ok(records.stdout.includes(JSON.stringify(adapter)), "the record names the adapter");
  },
});

Deno.test({
  name: "an adapter that is not there is a message with those that are",
  ignore,
  async fn() {
    using folder = new Folder();
    const { code, stderr } = await run(folder.store, "webgpu", false, ["--adapter", "abacus"]);
    assert.equal(code, 1);
    assert.match(stderr, /no WebGPU adapter is named like `abacus`; there is `/);
  },
});

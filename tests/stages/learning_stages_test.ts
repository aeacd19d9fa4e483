import assert from "node:assert/strict";
import { loadCircuit } from "../../circuits/mod.ts";
import { command, fixture, Folder } from "../command.ts";

const TRAINING = fixture("training");

interface Run {
  readonly status: string;
  readonly outputs: Record<string, { digest: string; facts?: Record<string, unknown> }>;
}

async function run(store: string, onStart?: (child: Deno.ChildProcess) => void, jobs: string[] = []) {
  return await command("run", [TRAINING, "--store", store, "--json", ...jobs], {
    env: { RETORT_CHECKPOINT_SECONDS: "0" },
    ...(onStart && { onStart }),
  });
}

function digests(stdout: string): Record<string, string> {
  const { outputs } = JSON.parse(stdout) as Run;
  return Object.fromEntries(Object.entries(outputs).map(([name, { digest }]) => [name, digest]));
}

/** Sends a signal as soon as the training has saved a state. */
function afterFirstCheckpoint(store: string, signal: Deno.Signal) {
  return (child: Deno.ChildProcess) => {
    const timer = setInterval(() => {
      try {
        if ([...Deno.readDirSync(`${store}/checkpoints`)].length === 0) return;
        clearInterval(timer);
        child.kill(signal);
      } catch {
        // Not there yet, or over.
      }
    }, 5);
    child.status.then(() => clearInterval(timer));
  };
}

Deno.test("training, counting, sampling and scoring as stages; interrupted, killed, resumed: the same bytes", async () => {
  using calm = new Folder();
  using disturbed = new Folder();
  const undisturbed = await run(calm.store, undefined, ["--jobs", "0"]);
  assert.equal(undisturbed.code, 0, undisturbed.stderr);

  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const stopped = await run(disturbed.store, afterFirstCheckpoint(disturbed.store, signal));
    assert.notEqual(stopped.code, 0, "it was stopped in the middle");
  }
  const resumed = await run(disturbed.store);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(digests(resumed.stdout), digests(undisturbed.stdout));
  const logs = [...Deno.readDirSync(`${disturbed.store}/runs`)].flatMap((one) =>
    [...Deno.readDirSync(`${disturbed.store}/runs/${one.name}`)]
      .map((log) => Deno.readTextFileSync(`${disturbed.store}/runs/${one.name}/${log.name}`))
  );
  assert.ok(logs.some((log) => /going on in epoch \d+, batch \d+/.test(log)), "it went on in the middle");

  // The run's records have the curve, and its best epoch is what was scored.
  const shown = JSON.parse((await command("runs", ["latest", "--store", calm.store, "--json"])).stdout);
  const metrics = JSON.stringify(shown);
  for (const name of ["train log-likelihood", "valid log-likelihood", "bits per variable"]) {
    assert.ok(metrics.includes(name), name);
  }
  const { outputs } = JSON.parse(undisturbed.stdout) as Run;
  assert.equal(Object.keys(outputs).length, 4);

  // What is exported is a circuit for everyone.
  const folder = `${calm.path}/model`;
  const exported = await command("export", ["latest/circuit", folder, "--store", calm.store]);
  assert.equal(exported.code, 0, exported.stderr);
  const circuit = await loadCircuit(folder);
  assert.deepEqual([...circuit.parameters.keys()].sort(), ["emission", "initial", "transition"]);
  await command("export", ["latest/counted", `${calm.path}/counted`, "--store", calm.store]);
  const counted = await loadCircuit(`${calm.path}/counted`);
  // State 0 emits the even symbols and state 1 the odd one: so were the labels made.
  assert.deepEqual([...counted.parameters.get("emission")!.values].map((p) => p > 0), [
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
});

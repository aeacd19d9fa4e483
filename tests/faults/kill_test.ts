import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/mod.ts";
import { command, fixture, Folder } from "../command.ts";
import { workerOf } from "./workers.ts";

/** Each costs about a second of a core; the moments also move with the load of the machine. */
const KILLS = 40;

/** Digests of a run's outputs, from its JSON. */
function outputsOf(stdout: string): Record<string, string> {
  const { outputs } = JSON.parse(stdout) as { outputs: Record<string, { digest: string }> };
  return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, output.digest]));
}

Deno.test(`a run killed at ${KILLS} random moments ends with the bytes of an undisturbed one`, async () => {
  using undisturbed = new Folder();
  using disturbed = new Folder();
  const env = { RETORT_CHECKPOINT_SECONDS: "0" };
  const args = (folder: Folder, round: number) => // Every round has its own parameter, so that there is always something left to compute and to kill.
  ["--json", "--store", folder.store, "--set", `steps=${12 + round}`];
  const random = new RandomStream(20240607);
  const finished: unknown[] = [];
  let kills = 0;
  let workersKilled = 0;
  while (kills < KILLS) {
    // A run is killed until it gets through; then the next round begins.
    const delay = 60 + random.integer(400);
    const aWorker = random.integer(5) === 0;
    let killed = false;
    const ended = await command("run", [fixture("walks"), ...args(disturbed, finished.length)], {
      env,
      onStart: (child) => {
        setTimeout(async () => {
          try {
            const target = aWorker ? await workerOf(child) : child.pid;
            if (target === undefined) return;
            Deno.kill(target, "SIGKILL");
            killed = true;
            if (aWorker) workersKilled++;
          } catch {
            // It ended before.
          }
        }, delay);
      },
    });
    if (killed) kills++;
    if (ended.code === 0) finished.push(outputsOf(ended.stdout));
    else assert.ok(killed, `failed without being killed: ${ended.stderr}`);
  }
  assert.ok(workersKilled > 0, "workers were killed, too");

  const last = await command("run", [fixture("walks"), ...args(disturbed, finished.length)], { env });
  assert.equal(last.code, 0, last.stderr);
  finished.push(outputsOf(last.stdout));
  for (const [round, outputs] of finished.entries()) {
    const calm = await command("run", [fixture("walks"), ...args(undisturbed, round), "--jobs", "0"]);
    assert.equal(calm.code, 0, calm.stderr);
    assert.deepEqual(outputs, outputsOf(calm.stdout), `round ${round}`);
  }
  const verified = await command("verify", ["--store", disturbed.store]);
  assert.equal(verified.code, 0, verified.stdout);
});

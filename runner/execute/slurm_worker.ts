/** The main module of a worker that Slurm starts: takes jobs of the store until none has waited for a while. */
import { hostname } from "node:os";
import { InterruptedError } from "../errors.ts";
import { Store } from "../store/store.ts";
import { work, type WorkerSize } from "./work.ts";

const { store, idle, size } = JSON.parse(Deno.args[0]!) as { store: string; idle: number; size: WorkerSize };
const stop = new AbortController();
// Slurm tells before the time is over, and when the job has to make room: what is at work saves its checkpoint and goes back.
for (const signal of ["SIGTERM", "SIGUSR1", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => stop.abort(new InterruptedError()));
}
const array = Deno.env.get("SLURM_ARRAY_JOB_ID");
await work(Store.open(store), {
  idle,
  size,
  host: Deno.env.get("SLURMD_NODENAME") ?? hostname(),
  ...(array === undefined ? {} : { element: `${array}_${Deno.env.get("SLURM_ARRAY_TASK_ID")}` }),
  stop: stop.signal,
  onJob: (node, { kind }, seconds) => console.log(`${kind} ${node} in ${seconds.toFixed(1)} s`),
});
Deno.exit();

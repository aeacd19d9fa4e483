/**
 * The main module of a worker process: takes jobs of one module from standard input, one at a time, and reports on
 * standard output. It exits when its input ends, that is, when its parent is gone.
 */
import { InterruptedError } from "../errors.ts";
import { captureConsole } from "./console.ts";
import { hostJob } from "./host.ts";
import type { JobMessage } from "./job.ts";
import { byteLines, encodeMessage, type FromWorker, type ToWorker } from "./protocol.ts";
import { Reads } from "./reads.ts";
import { Strays } from "./strays.ts";
import { logText } from "./told.ts";

const token = Deno.args[0] ?? "";
const exit = Deno.exit; // A stage's own is another one.

function send(message: FromWorker): void {
  try {
    for (const bytes of encodeMessage(token, message)) {
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  } catch {
    exit(1); // The parent is gone: nobody will read the outcome; what was committed is kept.
  }
}

const tell = (message: JobMessage) => send({ type: "message", message });
const log = (text: string) => tell({ type: "log", text: logText(text) });

// Ctrl-C reaches every process of a terminal, and what Slurm or a service manager says every process of a job: the parent decides.
const elsewhere = ["SIGTERM", "SIGHUP", "SIGUSR1"] as const;
for (const signal of ["SIGINT", ...Deno.build.os === "windows" ? [] : elsewhere] as const) {
  Deno.addSignalListener(signal, () => {});
}
captureConsole(log);
new Strays(log);

const reads = new Reads();
let stop = new AbortController();
let running = Promise.resolve();
send({ type: "ready" });
for await (const line of byteLines(Deno.stdin.readable)) {
  const message = JSON.parse(line) as ToWorker;
  if (message.type === "stop") stop.abort(new InterruptedError());
  else {
    stop = new AbortController();
    const { signal } = stop;
    send({ type: "began" });
    running = hostJob(message.job, tell, signal, reads).then((outcome) => send({ type: "outcome", outcome }));
  }
}
// The parent closed the pipe or died. A running stage saves its checkpoint, if it can, and stops.
stop.abort(new InterruptedError());
await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 5000))]);
exit(0);

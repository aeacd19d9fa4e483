/**
 * The main module of a worker process: takes jobs of one module from standard input, one at a time, and tells what
 * happens on standard output. It ends when its input ends, that is when its parent is gone.
 */
import { InterruptedError } from "../errors.ts";
import { captureConsole } from "./console.ts";
import { hostJob } from "./host.ts";
import type { JobMessage } from "./job.ts";
import { encodeMessage, type FromWorker, linesOf, type ToWorker } from "./protocol.ts";

const token = Deno.args[0] ?? "";

function send(message: FromWorker): void {
  const bytes = encodeMessage(token, message);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch {
    Deno.exit(1); // The parent is gone: nobody will read the outcome; what was committed is kept.
  }
}

// Ctrl-C reaches every process of the terminal; the parent decides what happens.
Deno.addSignalListener("SIGINT", () => {});
captureConsole((text) => send({ type: "message", message: { type: "log", text } }));

let stop = new AbortController();
let running = Promise.resolve();
send({ type: "ready" });
for await (const line of linesOf(Deno.stdin.readable)) {
  const message = JSON.parse(line) as ToWorker;
  if (message.type === "stop") stop.abort(new InterruptedError());
  else {
    stop = new AbortController();
    const { signal } = stop;
    const tell = (message: JobMessage) => send({ type: "message", message });
    running = hostJob(message.job, tell, signal).then((outcome) => send({ type: "outcome", outcome }));
  }
}
// The parent closed the pipe or died. A running stage saves its checkpoint, if it can, and stops.
stop.abort(new InterruptedError());
await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 5000))]);
Deno.exit(0);

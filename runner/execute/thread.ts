/**
 * The main module of a thread that executes jobs of one module for {@link InProcessExecutor}: it shares the process, but
 * neither modules nor globals with the pipeline.
 */
import { InterruptedError } from "../errors.ts";
import { captureConsole } from "./console.ts";
import { hostJob } from "./host.ts";
import type { JobMessage } from "./job.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { Reads } from "./reads.ts";
import { Strays } from "./strays.ts";
import { logText } from "./told.ts";

const scope = globalThis as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: (event: MessageEvent<ToWorker>) => void;
};
const send = scope.postMessage.bind(globalThis);
const reads = new Reads();
let stop = new AbortController();

const log = (text: string) => send({ type: "message", message: { type: "log", text: logText(text) } });
captureConsole(log);
new Strays(log);
scope.onmessage = async ({ data }) => {
  if (data.type === "stop") return stop.abort(new InterruptedError());
  stop = new AbortController();
  const tell = (message: JobMessage) => send({ type: "message", message });
  const outcome = await hostJob(data.job, tell, stop.signal, reads);
  send({ type: "outcome", outcome });
};

import { GateThread, type ThreadOptions } from "./thread.ts";

/** Names of the calls of a thread. */
export type GateCall =
  | "likelihoods"
  | "begin"
  | "step"
  | "count"
  | "activations"
  | "best"
  | "leafFlows"
  | "update";

/** What is sent to a thread: first what it is made with, then calls, answered in order. */
export type GateRequest =
  | { readonly options: ThreadOptions }
  | { readonly call: GateCall; readonly args: unknown[] };

/** What comes back for each. */
export type GateReply = { readonly value: unknown } | { readonly failed: string };

/** Serves one thread over a port. */
export function serveGates(
  port: {
    on(name: "message", receive: (request: GateRequest) => void): unknown;
    postMessage(reply: GateReply): void;
  },
): void {
  let thread: GateThread | undefined;
  port.on("message", (data: GateRequest) => {
    try {
      if ("options" in data) {
        thread = new GateThread(data.options);
        port.postMessage({ value: undefined });
      } else {
        const call = (thread as GateThread)[data.call] as (...args: unknown[]) => unknown;
        port.postMessage({ value: call.apply(thread, data.args) });
      }
    } catch (error) {
      port.postMessage({ failed: error instanceof Error ? error.stack ?? error.message : String(error) });
    }
  });
}

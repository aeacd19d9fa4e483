import type { Job, JobMessage, Outcome } from "./job.ts";

/** What the main process tells a worker, one JSON line each on its standard input. */
export type ToWorker = { readonly type: "job"; readonly job: Job } | { readonly type: "stop" };

/** What a worker tells the main process. */
export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "message"; readonly message: JobMessage }
  | { readonly type: "outcome"; readonly outcome: Outcome };

/**
 * Messages share a worker's standard output with whatever a stage, or a program that it starts,
 * prints there. A message is a line that begins with a record separator and the worker's token;
 * everything else is log.
 */
export function encodeMessage(token: string, message: FromWorker): Uint8Array {
  return new TextEncoder().encode(`\n\x1e${token} ${JSON.stringify(message)}\n`);
}

/** Splits a worker's output into messages and log lines. */
export async function readMessages(
  output: ReadableStream<Uint8Array>,
  token: string,
  onMessage: (message: FromWorker) => void,
  onLine: (line: string) => void,
): Promise<void> {
  const mark = `\x1e${token} `;
  for await (const line of linesOf(output)) {
    if (line.startsWith(mark)) onMessage(JSON.parse(line.slice(mark.length)));
    else if (line !== "") onLine(line);
  }
}

/** Lines of a byte stream; a line of over a million characters comes in pieces. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > 1_000_000 && !rest.startsWith("\x1e")) {
      yield rest;
      rest = "";
    }
  }
  if (rest !== "") yield rest;
}

import type { Job, JobMessage, Outcome } from "./job.ts";

/** What the main process tells a worker, one JSON line each on its standard input. */
export type ToWorker = { readonly type: "job"; readonly job: Job } | { readonly type: "stop" };

/** What a worker tells the main process. */
export type FromWorker =
  | { readonly type: "ready" }
  /** The job has been accepted: failures from here on are the stage's. */
  | { readonly type: "began" }
  | { readonly type: "message"; readonly message: JobMessage }
  | { readonly type: "outcome"; readonly outcome: Outcome };

/**
 * Longest frame in bytes. A pipe takes so much in one piece (POSIX `PIPE_BUF`), so that no program which writes
 * to the same pipe at the same moment gets into the middle of it.
 */
const FRAME = Deno.build.os === "linux" ? 4096 : 512;

/** Maximum length of a line without a line break before it is passed to the log. */
const LONGEST_LOG = 1_000_000;

/**
 * Messages share a worker's standard output with whatever a stage, or a program that it starts, prints there. A
 * message is cut into frames, each to be written by a call of its own: a line that begins with a record separator
 * and the worker's token, then `+` where more frames follow or `.` at the last, then a part of the message's JSON.
 * Everything else is log.
 */
export function* encodeMessage(token: string, message: FromWorker): Generator<Uint8Array> {
  // ASCII only, so that no character is split.
  const text = JSON.stringify(message)
    .replaceAll(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const encoder = new TextEncoder();
  const size = FRAME - token.length - 5;
  for (let at = 0; at < text.length; at += size) {
    const last = at + size >= text.length;
    yield encoder.encode(`\n\x1e${token} ${last ? "." : "+"}${text.slice(at, at + size)}\n`);
  }
}

/** Splits a worker's output into messages and log lines. */
export async function readMessages(
  output: ReadableStream<Uint8Array>,
  token: string,
  onMessage: (message: FromWorker) => void,
  onLine: (line: string) => void,
): Promise<void> {
  const mark = `\x1e${token} `;
  let parts: string[] = [];
  for await (const line of byteLines(output, LONGEST_LOG)) {
    if (line.startsWith(mark)) {
      parts.push(line.slice(mark.length + 1));
      if (line[mark.length] === "+") continue;
      const text = parts.join("");
      parts = [];
      onMessage(JSON.parse(text));
    } else if (line !== "") onLine(line);
  }
}

/**
 * Lines of a byte stream of UTF-8 text.
 *
 * @param longest a line of more characters than this comes in pieces; by default none does, however long.
 */
export async function* byteLines(
  stream: ReadableStream<Uint8Array>,
  longest: number = Infinity,
): AsyncGenerator<string> {
  let parts: string[] = [];
  let length = 0;
  const line = () => {
    const whole = parts.join("");
    parts = [];
    length = 0;
    return whole;
  };
  for await (
    const text of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
  ) {
    let from = 0;
    for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
      parts.push(text.slice(from, to));
      yield line();
      from = to + 1;
    }
    if (from < text.length) parts.push(text.slice(from));
    length += text.length - from;
    if (length > longest) yield line();
  }
  if (length > 0) yield line();
}

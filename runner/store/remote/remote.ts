import type { Digest } from "../../../foundation/canonical.ts";
import { CallError, messageOf, RetortError } from "../../../foundation/errors.ts";
import { FILE_CHUNK } from "../../../foundation/file_digest.ts";

/** An entry of a remote. */
export interface RemoteEntry {
  readonly path: string;
  readonly size: number;
  /** When it was put there, in milliseconds since 1970. */
  readonly modified: number;
}

/**
 * Files elsewhere by path, laid out as a store's folder: `objects/ab/cdef…`, `results/ab/KEY.json`. All methods throw
 * {@link RemoteError} once they have tried often enough.
 */
export interface Remote {
  readonly options: AskOptions;
  /** Its address, without credentials. */
  readonly url: string;
  /** False for a mirror that only answers. */
  readonly writable: boolean;
  /** Those of the paths that are there. Asked for many at once it takes few requests, where the remote can list. */
  has(paths: readonly string[]): Promise<Set<string>>;
  /**
   * The bytes of a file from an offset on, as they come; undefined where there is none. What comes is not checked, and may break off. A
   * piece is good until the next one is asked for.
   */
  read(path: string, from?: number): Promise<AsyncIterable<Uint8Array> | undefined>;
  /**
   * Puts a file there unless there is one, at once or not at all.
   *
   * @returns false where somebody else's is there.
   */
  put(path: string, source: RemoteSource): Promise<boolean>;
  /** Moves a file out of the way, for people to look at. */
  setAside(path: string, to: string): Promise<void>;
  /** Everything whose path begins with a prefix. */
  list(prefix: string): AsyncIterable<RemoteEntry>;
  /** Removes files; those that are not there are none. */
  remove(paths: readonly string[]): Promise<void>;
  /** Removes what uploads that broke off before a moment have left. @returns how many. */
  sweepUploads(before: number): Promise<number>;
}

/** Bytes to put: in memory, or those of a file of which the digest is known. */
export type RemoteSource =
  | Uint8Array<ArrayBuffer>
  | { readonly file: string; readonly size: number; readonly digest: Digest };

/** How a remote is asked. */
export interface AskOptions {
  /** How often a request is made until it counts as failed. */
  readonly tries: number;
  /** Milliseconds before the second try; each further one waits twice as long. */
  readonly wait: number;
  /** Milliseconds without an answer, or without another piece of it, after which a request has failed. */
  readonly silence: number;
  /** Large files go up in parts of at least so many bytes. */
  readonly part: number;
}

/** How Retort asks. */
export const USUAL: AskOptions = { tries: 5, wait: 200, silence: 30_000, part: 16 << 20 };

/** Requests that are made at once. */
export const AT_ONCE = 32;

/** A remote that does not do what it should. */
export class RemoteError extends RetortError {}

/** A request that may work the next time. */
class Passing extends Error {}

/** Statuses by which servers ask to be asked again. */
const AGAIN: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/**
 * Makes a request until it is answered.
 *
 * @param doing for messages: "asking for results/ab/…".
 * @param ask makes the request; gets a signal that ends it.
 * @param use reads the answer, as part of the same try.
 * @throws RemoteError where nobody answers, or the answer is no.
 */
export async function requested<T>(
  url: string,
  doing: string,
  options: AskOptions,
  ask: (signal: AbortSignal) => Promise<Response>,
  use: (response: Response, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let wait = options.wait;
  for (let tries = 1;; tries++) {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(new Error("it does not answer in time")), options.silence);
    try {
      const response = await ask(over.signal);
      if (AGAIN.includes(response.status)) {
        await response.body?.cancel();
        throw new Passing(`it answers ${response.status}`);
      }
      return await use(response, over.signal);
    } catch (error) {
      if (error instanceof RetortError) throw error;
      if (tries >= options.tries) {
        throw new RemoteError("remote/unreachable", `${url} does not answer: ${doing}: ${plain(error)}`, {
          hint: "Is the address right, and the network there? The same command goes on where it stopped.",
        });
      }
    } finally {
      clearTimeout(timer);
    }
    await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
    wait *= 2;
  }
}

/** The error of an answer that is no. */
export async function refusal(url: string, doing: string, response: Response): Promise<RemoteError> {
  const said = /<(?:Code)>([^<]{1,80})</.exec(await response.text().catch(() => ""))?.[1];
  const { status } = response;
  return new RemoteError(
    "remote/refused",
    `${url} refuses: ${doing}: it answers ${status}${said === undefined ? "" : ` ${said}`}`,
    {
      hint: status === 401 || status === 403
        ? "Which credentials count, docs/cluster.md says: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        : "Does the bucket or the folder exist, and may it be used so?",
    },
  );
}

/** A message without addresses, whose queries may be signed. */
function plain(error: unknown): string {
  return messageOf(error).replaceAll(/ ?\(?https?:\/\/[^\s)]+\)?/g, "").trim() || "it says nothing more";
}

/**
 * The body of an answer, which fails where no more comes for a while. It is read into two buffers in turn, the next piece while one is
 * used: a piece is good until the next one is asked for.
 *
 * @param from the offset that was asked for. Some servers send all where a part was: then so many bytes are left out.
 */
export async function* bodyOf(
  response: Response,
  options: AskOptions,
  from: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body!.getReader({ mode: "byob" });
  const read = (buffer: ArrayBuffer) => {
    const reading = inTime(reader.read(new Uint8Array(buffer)), options.silence);
    reading.catch(() => {}); // Nobody waits for it where the piece before is the last one that is wanted.
    return reading;
  };
  // Small answers get small buffers.
  const size = Math.min(FILE_CHUNK, Number(response.headers.get("content-length")) || FILE_CHUNK);
  let free = new ArrayBuffer(size);
  let next = read(new ArrayBuffer(size));
  try {
    for (let left = response.status === 206 ? 0 : from;;) {
      const { done, value } = await next;
      if (done) return;
      next = read(free);
      if (left < value.length) yield value.subarray(left);
      left = Math.max(0, left - value.length);
      free = value.buffer;
    }
  } finally {
    await reader.cancel().catch(() => {}); // What went wrong before tells more.
  }
}

/** What a promise gives, within so many milliseconds. */
async function inTime<T>(promise: Promise<T>, most: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("nothing more comes")), most);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does something with all items, some at once, and fails with the first failure. */
export async function eachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  action: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let failed = false;
  const work = async () => {
    for (let next = rest.next(); next.done !== true && !failed; next = rest.next()) {
      await action(next.value).catch((error) => {
        failed = true;
        throw error;
      });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, work));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}

/**
 * Parses the address of a remote.
 *
 * @throws CallError for one that is none, or that holds credentials: addresses stand in records and logs.
 */
export function remoteAddress(text: string): URL {
  const hint = "An address is s3://BUCKET/FOLDER, or https://HOST/FOLDER for a mirror that is only read.";
  const url = URL.parse(text);
  if (url === null || !["s3:", "http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new CallError("remote/url", `${JSON.stringify(withoutSecrets(text))} is no address of a remote`, {
      hint,
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new CallError("remote/url", "the address of a remote holds a name or a password", {
      hint: "Addresses are recorded with runs. Credentials belong in the environment or in the files of AWS.",
    });
  }
  const known = url.protocol === "s3:" ? ["endpoint", "region"] : [];
  const other = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (other !== undefined || url.hash !== "") {
    throw new CallError(
      "remote/url",
      `the address of a remote has \`${other ?? "#"}\`, which means nothing there`,
      {
        hint: `${hint} Of S3, \`?endpoint=https://HOST&region=NAME\` may follow.`,
      },
    );
  }
  return url;
}

/** A text without what stands before `@` and after `?`. */
function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//…@").replace(/\?.*/s, "?…");
}

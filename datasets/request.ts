import { messageOf } from "../foundation/errors.ts";

/** Identifies the version of a file on a server. */
export interface Validators {
  /** The ETag header. */
  readonly etag?: string;
  /** The Last-Modified header. */
  readonly modified?: string;
}

/** A transient fault: worth retrying. */
export class AnotherTry extends Error {
  /** Delay that the server requests, in milliseconds. */
  readonly wait: number | undefined;
  /** Whether the bytes received so far must be discarded first. */
  readonly restart: boolean;

  /**
   * A transient fault.
   *
   * @param options `wait`: milliseconds requested by the server; `restart`: begin at the first byte.
   */
  constructor(message: string, options: { wait?: number | undefined; restart?: boolean } = {}) {
    super(message);
    this.wait = options.wait;
    this.restart = options.restart ?? false;
  }
}

/** A permanent fault of the server or its file. */
export class Hopeless extends Error {}

/** The bytes of a file from `from` on. */
export interface Sent extends Disposable {
  /** Position of the first byte; 0 also if a later position was requested and the server ignored that. */
  readonly from: number;
  /** The version that the server reports. */
  readonly validators: Validators;
  /** The bytes. Throws AnotherTry if the connection breaks or stalls. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What to request. */
export interface RequestOptions {
  /** Position of the first byte wanted. */
  readonly from: number;
  /** The size that the whole file must have. */
  readonly bytes: number;
  /** Maximum silence in milliseconds. */
  readonly stall: number;
  /** Aborts the request. */
  readonly signal: AbortSignal | undefined;
  /** The version of the bytes before `from`, if known. */
  readonly known: Validators;
  /** Additional headers. */
  readonly headers?: Record<string, string>;
}

/**
 * Requests a file from a position on, and checks that the reply has the expected version and size before taking any
 * bytes.
 *
 * @returns the bytes; dispose of them, whether read or not.
 * @throws AnotherTry for a fault that may pass, Hopeless for any other; the signal's reason when aborted.
 */
export async function request(url: string, options: RequestOptions): Promise<Sent> {
  const watch = new Watch(options.stall);
  const signal = AbortSignal.any([watch.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  let response: Response;
  try {
    watch.touch();
    response = await fetch(url, {
      signal,
      headers: {
        ...options.headers,
        // Positions count stored bytes: a compressed reply would have different ones.
        "accept-encoding": "identity",
        ...(options.from > 0 ? { range: `bytes=${options.from}-` } : {}),
      },
    });
  } catch (error) {
    watch.stop();
    throw refusal(url, error, options.signal);
  }
  watch.stop();
  const fault = check(response, options);
  if (fault !== undefined) {
    await response.body?.cancel().catch(() => {});
    throw fault;
  }
  const etag = response.headers.get("etag");
  const modified = response.headers.get("last-modified");
  return {
    from: response.status === 206 ? options.from : 0,
    validators: { ...(etag === null ? {} : { etag }), ...(modified === null ? {} : { modified }) },
    body: bodyOf(response, watch, options.signal),
    [Symbol.dispose]: () => watch.end(),
  };
}

/** What is wrong with the reply, or undefined if its body is usable. */
function check(response: Response, options: RequestOptions): AnotherTry | Hopeless | undefined {
  const { status, headers } = response;
  const wrongSize = (size: number) =>
    new Hopeless(`the file there has ${size} bytes, expected ${options.bytes}`);
  if (status === 206 && options.from > 0) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
    if (range === null || Number(range[1]) !== options.from) {
      return new AnotherTry("the server sent another part than the one asked for", { restart: true });
    }
    if (range[2] !== "*" && Number(range[2]) !== options.bytes) return wrongSize(Number(range[2]));
    const { etag, modified } = options.known;
    const changed = etag !== undefined
      ? headers.get("etag") !== etag
      : modified !== undefined && headers.get("last-modified") !== modified;
    if (changed) return new AnotherTry("the file on the server has changed", { restart: true });
    return undefined;
  }
  if (status === 200) {
    const length = headers.get("content-length");
    if (length !== null && headers.get("content-encoding") === null && Number(length) !== options.bytes) {
      return wrongSize(Number(length));
    }
    return undefined;
  }
  if (status === 416) {
    return new AnotherTry("the server has no bytes where the earlier try stopped", { restart: true });
  }
  const said = `HTTP ${status}${response.statusText === "" ? "" : ` ${response.statusText}`}`;
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    return new AnotherTry(said, { wait: retryAfter(headers) });
  }
  return new Hopeless(said);
}

/** Milliseconds of a Retry-After header, given in seconds or as a date. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

async function* bodyOf(
  response: Response,
  watch: Watch,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    // The timer runs only while waiting for the server, not while writing a chunk.
    watch.touch();
    for await (const chunk of response.body ?? []) {
      watch.stop();
      yield chunk;
      watch.touch();
    }
  } catch (error) {
    throw broken(error, signal);
  } finally {
    watch.stop();
  }
}

/** The error for a request without a reply: refused by this process's permissions or by the network. */
function refusal(url: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof Deno.errors.NotCapable) {
    return new Hopeless(`this process may not use the network; it needs --allow-net=${new URL(url).host}`);
  }
  if (/redirect/i.test(messageOf(error))) return new Hopeless(messageOf(error));
  if (signal?.aborted || error instanceof AnotherTry) return broken(error, signal);
  // The runtime reports `fetch failed` with the reason (no such host, refused, ...) in the cause.
  const cause = (error as { cause?: unknown } | null)?.cause;
  return new AnotherTry(`no connection to ${new URL(url).host}: ${messageOf(cause ?? error)}`);
}

function broken(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  return error instanceof AnotherTry ? error : new AnotherTry(`the connection broke: ${messageOf(error)}`);
}

/** Aborts after a period of inactivity. */
class Watch {
  readonly #controller = new AbortController();
  readonly #stall: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(stall: number) {
    this.#stall = stall;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#controller.abort(new AnotherTry(`the server sent nothing for ${this.#stall / 1000} s`));
    }, this.#stall);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Stops watching, and aborts the request if it is still running. */
  end(): void {
    this.stop();
    this.#controller.abort();
  }
}

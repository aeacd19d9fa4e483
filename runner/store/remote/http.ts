import { RetortError } from "../../../foundation/errors.ts";
import {
  type AskOptions,
  AT_ONCE,
  bodyOf,
  eachAtOnce,
  refusal,
  type Remote,
  type RemoteSource,
  requested,
} from "./remote.ts";

/** A store's folder behind a web server: only read. */
export class HttpMirror implements Remote {
  readonly url: string;
  readonly writable = false;

  constructor(address: URL, readonly options: AskOptions) {
    this.url = address.href.replace(/\/+$/, "");
  }

  async has(paths: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    await eachAtOnce(paths, AT_ONCE, async (path) => {
      const doing = `asking for ${path}`;
      const ask = (signal: AbortSignal) => fetch(`${this.url}/${path}`, { method: "HEAD", signal });
      await requested(this.url, doing, this.options, ask, async (response) => {
        if (response.ok) found.add(path);
        else if (response.status !== 404 && response.status !== 410) {
          throw await refusal(this.url, doing, response);
        }
      });
    });
    return found;
  }

  async read(path: string, from = 0): Promise<AsyncIterable<Uint8Array> | undefined> {
    const doing = `reading ${path}`;
    const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    const ask = (signal: AbortSignal) => fetch(`${this.url}/${path}`, { headers, signal });
    return await requested(this.url, doing, this.options, (signal) => ask(signal), async (response) => {
      if (response.status === 404 || response.status === 410) {
        await response.body?.cancel();
        return undefined;
      }
      if (!response.ok) throw await refusal(this.url, doing, response);
      return bodyOf(response, this.options, from);
    });
  }

  put(_path: string, _source: RemoteSource): Promise<boolean> {
    throw this.#readOnly();
  }

  setAside(): Promise<void> {
    throw this.#readOnly();
  }

  // deno-lint-ignore require-yield -- a web server lists nothing
  async *list(): AsyncGenerator<never> {
    throw this.#readOnly();
  }

  remove(): Promise<void> {
    throw this.#readOnly();
  }

  sweepUploads(): Promise<number> {
    throw this.#readOnly();
  }

  #readOnly(): RetortError {
    return new RetortError("remote/read-only", `${this.url} is a mirror: it is only read`, {
      hint:
        "Put results onto an S3 bucket (s3://BUCKET/FOLDER), or copy the store's folder behind the web server.",
    });
  }
}

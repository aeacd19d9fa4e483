import { AwsClient } from "aws4fetch";
import { type Digest, digestBytes } from "../../../foundation/canonical.ts";
import type { S3Access } from "./credentials.ts";
import {
  type AskOptions,
  AT_ONCE,
  bodyOf,
  eachAtOnce,
  refusal,
  type Remote,
  type RemoteEntry,
  RemoteError,
  type RemoteSource,
  requested,
} from "./remote.ts";

/** Parts of one file that go up at once: each is held in memory. A file that takes no more than they do goes by one request. */
export const PARTS_AT_ONCE = 4;
/** Most parts that S3 takes for a file. */
const MOST_PARTS = 10_000;
/** So many questions about one prefix are answered by listing it. */
const LISTED_FROM = 4;
/** From so many questions on, the prefixes are wider. */
const LISTED_WIDELY_FROM = 256;

/** A folder of a bucket on an S3 server: Amazon's, or one that speaks as it does. */
export class S3Remote implements Remote {
  readonly url: string;
  readonly writable = true;
  readonly #client: AwsClient;
  /** Address of the bucket. */
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(address: URL, access: S3Access, readonly options: AskOptions) {
    const { endpoint, region, ...keys } = access;
    const bucket = address.hostname;
    const folder = decodeURI(address.pathname).replace(/^\/+|\/+$/g, "");
    this.url = `s3://${bucket}${folder === "" ? "" : `/${folder}`}`;
    this.#prefix = folder === "" ? "" : `${folder}/`;
    this.#client = new AwsClient({ ...keys, region, service: "s3", retries: 0 });
    this.#bucket = endpoint !== undefined
      ? `${endpoint}/${bucket}`
      : bucket.includes(".")
      ? `https://s3.${region}.amazonaws.com/${bucket}`
      : `https://${bucket}.s3.${region}.amazonaws.com`;
  }

  /** Makes a signed request until it is answered. */
  #ask<T>(
    doing: string,
    path: string,
    init: RequestInit & { readonly query?: Record<string, string>; readonly digest?: Digest },
    use: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { query, digest, ...rest } = init;
    const name = path === "" ? "" : `/${encodeURI(this.#prefix + path)}`;
    const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
    const headers = new Headers(rest.headers);
    // The server refuses a body that has other bytes.
    if (digest !== undefined) headers.set("x-amz-content-sha256", digest);
    const ask = (signal: AbortSignal) =>
      this.#client.fetch(`${this.#bucket}${name}${search}`, { ...rest, headers, signal });
    // Bodies go out before anything comes back: at 64 kB a second at least.
    const bytes = rest.body instanceof Uint8Array ? rest.body.length : 0;
    return requested(
      this.url,
      doing,
      { ...this.options, silence: this.options.silence + bytes / 64 },
      ask,
      use,
    );
  }

  async has(paths: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    const single: string[] = [];
    const groups = groupsOf(new Set(paths));
    const listed = [...groups].filter(([prefix, asked]) => {
      if (prefix !== "" && asked.length >= LISTED_FROM) return true;
      single.push(...asked);
      return false;
    });
    await eachAtOnce(listed, AT_ONCE, async ([prefix, asked]) => {
      const left = new Set(asked);
      for await (const { path } of this.list(prefix)) if (left.delete(path)) found.add(path);
    });
    await eachAtOnce(single, AT_ONCE, async (path) => {
      if (await this.#isThere(path)) found.add(path);
    });
    return found;
  }

  async #isThere(path: string): Promise<boolean> {
    const doing = `asking for ${path}`;
    return await this.#ask(doing, path, { method: "HEAD" }, async (response) => {
      if (response.status === 404) return false;
      if (!response.ok) throw await refusal(this.url, doing, response);
      return true;
    });
  }

  async read(path: string, from = 0): Promise<AsyncIterable<Uint8Array> | undefined> {
    const doing = `reading ${path}`;
    const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    return await this.#ask(doing, path, { headers }, async (response) => {
      // A bucket that is not there is no file that is not there.
      if (response.status === 404 && !await isNoBucket(response)) return undefined;
      if (!response.ok) throw await refusal(this.url, doing, response);
      return bodyOf(response, this.options, from);
    });
  }

  async put(path: string, source: RemoteSource): Promise<boolean> {
    const inMemory = source instanceof Uint8Array;
    if (!inMemory && source.size > PARTS_AT_ONCE * this.options.part) {
      return await this.#putParts(path, source);
    }
    const body = inMemory ? source : await readPart(source.file, 0, source.size);
    const digest = inMemory ? digestBytes(source) : source.digest;
    const headers = { "if-none-match": "*" };
    return await this.#placed(path, async (again) =>
      await this.#ask(
        `writing ${path}`,
        path,
        { method: "PUT", body, digest, headers },
        (response) => this.#put(path, response, again),
      ));
  }

  /** What the answer to a conditional put means: undefined where it is to be repeated. */
  async #put(path: string, response: Response, again: boolean): Promise<boolean | undefined> {
    if (response.status === 412) {
      await response.body?.cancel();
      return false;
    }
    if (response.status === 409 && !again) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) throw await refusal(this.url, `writing ${path}`, response);
    await response.body?.cancel();
    return true;
  }

  /** A conflict is another one's put in progress: somebody's success, or to be tried once more. */
  async #placed(path: string, attempt: (again: boolean) => Promise<boolean | undefined>): Promise<boolean> {
    const first = await attempt(false);
    if (first !== undefined) return first;
    if (await this.#isThere(path)) return false;
    return (await attempt(true))!;
  }

  async #putParts(path: string, { file, size }: { file: string; size: number }): Promise<boolean> {
    if (await this.#isThere(path)) return false;
    const doing = `writing ${path}`;
    const upload = await this.#ask(
      doing,
      path,
      { method: "POST", query: { uploads: "" } },
      async (response) => {
        if (!response.ok) throw await refusal(this.url, doing, response);
        return /<UploadId>([^<]+)</.exec(await response.text())?.[1];
      },
    );
    if (upload === undefined) {
      throw new RemoteError("remote/refused", `${this.url} begins no upload: ${doing}`);
    }
    try {
      const length = Math.max(this.options.part, Math.ceil(size / MOST_PARTS));
      const tags: string[] = [];
      await eachAtOnce(range(Math.ceil(size / length)), PARTS_AT_ONCE, async (part) => {
        const body = await readPart(file, part * length, Math.min(length, size - part * length));
        const query = { partNumber: String(part + 1), uploadId: upload };
        tags[part] = await this.#ask(
          doing,
          path,
          { method: "PUT", query, body, digest: digestBytes(body) },
          async (response) => {
            if (!response.ok) throw await refusal(this.url, doing, response);
            await response.body?.cancel();
            return response.headers.get("etag") ?? "";
          },
        );
      });
      const parts = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
      const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
      const init = { method: "POST", query: { uploadId: upload }, body, headers: { "if-none-match": "*" } };
      return await this.#placed(
        path,
        async (again) =>
          await this.#ask(doing, path, init, async (response) => {
            // Where an answer got lost, the upload is complete and known no longer.
            if (response.status === 404 && await this.#isThere(path)) return false;
            if (!response.ok) return await this.#put(path, response, again);
            const text = await response.text();
            if (/<Error>/.test(text)) {
              throw new RemoteError(
                "remote/refused",
                `${this.url} refuses: ${doing}: ${/<Code>([^<]*)/.exec(text)?.[1]}`,
              );
            }
            return true;
          }),
      );
    } catch (error) {
      await this.#abort(path, upload).catch(() => {}); // The first error tells more.
      throw error;
    }
  }

  async #abort(path: string, upload: string): Promise<void> {
    await this.#ask(
      `ending an upload of ${path}`,
      path,
      { method: "DELETE", query: { uploadId: upload } },
      async (response) => {
        await response.body?.cancel();
      },
    );
  }

  async setAside(path: string, to: string): Promise<void> {
    const doing = `setting aside ${path}`;
    const source = encodeURI(`/${this.url.slice("s3://".length)}/${path}`);
    await this.#ask(
      doing,
      to,
      { method: "PUT", headers: { "x-amz-copy-source": source } },
      async (response) => {
        const text = await response.clone().text();
        if (response.status !== 404 && (!response.ok || /<Error>/.test(text))) {
          throw await refusal(
            this.url,
            doing,
            response,
          );
        }
      },
    );
    await this.remove([path]);
  }

  async *list(prefix: string): AsyncGenerator<RemoteEntry> {
    const doing = `listing ${prefix}`;
    let token: string | undefined;
    do {
      const query = {
        "list-type": "2",
        prefix: this.#prefix + prefix,
        ...(token === undefined ? {} : { "continuation-token": token }),
      };
      const text = await this.#ask(doing, "", { query }, async (response) => {
        if (!response.ok) throw await refusal(this.url, doing, response);
        return await response.text();
      });
      for (const [, entry] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        yield {
          path: unescaped(tagIn(entry!, "Key")).slice(this.#prefix.length),
          size: Number(tagIn(entry!, "Size")),
          modified: Date.parse(tagIn(entry!, "LastModified")),
        };
      }
      token = /<IsTruncated>true</.test(text) ? unescaped(tagIn(text, "NextContinuationToken")) : undefined;
    } while (token !== undefined && token !== "");
  }

  async remove(paths: readonly string[]): Promise<void> {
    await eachAtOnce(paths, AT_ONCE, async (path) => {
      const doing = `removing ${path}`;
      await this.#ask(doing, path, { method: "DELETE" }, async (response) => {
        if (!response.ok && response.status !== 404) throw await refusal(this.url, doing, response);
        await response.body?.cancel();
      });
    });
  }

  async sweepUploads(before: number): Promise<number> {
    const doing = "listing uploads";
    const text = await this.#ask(
      doing,
      "",
      { query: { uploads: "", prefix: this.#prefix } },
      async (response) => {
        if (!response.ok) throw await refusal(this.url, doing, response);
        return await response.text();
      },
    );
    let swept = 0;
    for (const [, entry] of text.matchAll(/<Upload>(.*?)<\/Upload>/gs)) {
      // Some servers do not look at the prefix.
      const key = unescaped(tagIn(entry!, "Key"));
      const begun = Date.parse(tagIn(entry!, "Initiated"));
      if (!key.startsWith(this.#prefix) || begun >= before) continue;
      await this.#abort(key.slice(this.#prefix.length), tagIn(entry!, "UploadId"));
      swept++;
    }
    return swept;
  }
}

/** Questions by the prefixes that answer them: few by the folder of each, many by all folders that begin with a digit. */
function groupsOf(paths: ReadonlySet<string>): Map<string, string[]> {
  const rooms = Map.groupBy(paths, (path) => path.slice(0, path.indexOf("/") + 1));
  return Map.groupBy(paths, (path) => {
    const room = path.indexOf("/") + 1;
    const many = rooms.get(path.slice(0, room))!.length >= LISTED_WIDELY_FROM;
    return path.slice(0, many ? room + 1 : path.lastIndexOf("/") + 1);
  });
}

async function isNoBucket(response: Response): Promise<boolean> {
  return /<Code>NoSuchBucket</.test(await response.clone().text());
}

async function readPart(path: string, from: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path, { read: true });
  await file.seek(from, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) throw new Deno.errors.UnexpectedEof(path);
    at += read;
  }
  return bytes;
}

function* range(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

function tagIn(xml: string, tag: string): string {
  return new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? "";
}

function unescaped(text: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name) => named[name]!);
}

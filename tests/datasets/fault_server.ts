import { fetchDataSet } from "../../datasets/fetch.ts";
import type { DataFile, DataSet } from "../../datasets/schema.ts";
import { createHash } from "node:crypto";

/** What the server does with one request. */
export type ServerFault =
  | { readonly kind: "none" }
  /** Ignores Range and sends the whole file. */
  | { readonly kind: "noRange" }
  /** Ends its reply in good order after `after` bytes. */
  | { readonly kind: "short"; readonly after: number }
  /** Both: from the first byte, and only `after` of them. */
  | { readonly kind: "noRangeShort"; readonly after: number }
  /** Breaks the connection after `after` bytes. */
  | { readonly kind: "break"; readonly after: number }
  /** Falls silent after `after` bytes. */
  | { readonly kind: "hang"; readonly after: number }
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: "redirect"; readonly to: string }
  /** Sends other bytes, of the same number. */
  | { readonly kind: "wrongBytes" }
  /** Sends bytes past the end, without saying how many. */
  | { readonly kind: "tooLong" }
  /** Answers a range with another one. */
  | { readonly kind: "wrongRange" };

/** A request as the server saw it. */
export interface Seen {
  readonly path: string;
  readonly range: string | null;
  readonly encoding: string | null;
}

/** A server on the loopback that serves `files` and fails as told. */
export class FaultServer implements AsyncDisposable {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly seen: Seen[] = [];
  /** One fault a request, in order; then none. */
  faults: ServerFault[] = [];
  etag: string | undefined = '"one"';
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #release = Promise.withResolvers<void>();

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#reply(request),
    );
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#server.addr.port}/${path}`;
  }

  add(path: string, bytes: Uint8Array<ArrayBuffer>): DataFile {
    this.files.set(path, bytes);
    return { path, bytes: bytes.length, sha256: sha256(bytes), url: this.url(path) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release.resolve();
    await this.#server.shutdown();
  }

  #reply(request: Request): Response {
    const path = new URL(request.url).pathname.slice(1);
    const range = request.headers.get("range");
    this.seen.push({ path, range, encoding: request.headers.get("accept-encoding") });
    const fault = this.faults.shift() ?? { kind: "none" };
    let bytes = this.files.get(path);
    if (fault.kind === "status") {
      const headers = fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter };
      return new Response("no", { status: fault.status, headers });
    }
    if (fault.kind === "redirect") {
      return new Response(null, { status: 302, headers: { location: fault.to } });
    }
    if (bytes === undefined) return new Response("no such file", { status: 404 });
    if (fault.kind === "wrongBytes") bytes = bytes.map((byte) => byte ^ 255);
    const headers = new Headers(this.etag === undefined ? {} : { etag: this.etag });
    const whole = range === null || fault.kind === "noRange" || fault.kind === "noRangeShort";
    let start = whole ? 0 : Number(/^bytes=(\d+)-$/.exec(range)![1]);
    if (start >= bytes.length && start > 0) return new Response(null, { status: 416 });
    if (fault.kind === "wrongRange") start = Math.max(0, start - 1);
    const status = whole ? 200 : 206;
    if (status === 206) headers.set("content-range", `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    const rest = bytes.subarray(start);
    const exact = fault.kind === "none" || fault.kind === "noRange" || fault.kind === "wrongBytes" ||
      fault.kind === "wrongRange";
    return new Response(exact ? rest : this.#faultyBody(rest, fault), { status, headers });
  }

  #faultyBody(rest: Uint8Array<ArrayBuffer>, fault: ServerFault): ReadableStream<Uint8Array> {
    const release = this.#release.promise;
    return new ReadableStream({
      async start(controller) {
        if (fault.kind === "tooLong") {
          controller.enqueue(rest);
          controller.enqueue(new Uint8Array(1000));
          return controller.close();
        }
        const after = "after" in fault ? fault.after : 0;
        // An empty chunk would end nothing, but some servers' streams refuse it.
        if (after > 0) controller.enqueue(rest.subarray(0, after));
        if (fault.kind === "short" || fault.kind === "noRangeShort") return controller.close();
        // Time for what was sent to arrive, or the break would overtake it.
        if (fault.kind === "break") await new Promise((resolve) => setTimeout(resolve, 20));
        if (fault.kind === "hang") await release;
        try {
          // A bare string: the server prints it.
          controller.error("(connection broken on purpose)");
        } catch {
          // The reader has gone already.
        }
      },
    });
  }
}

/** Bytes that differ from seed to seed and do not repeat early. */
export function someBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761 >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

/** The sha256 of bytes, in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** An entry of one edition with those files. */
export function entryOf(files: readonly DataFile[], more: Partial<DataSet> = {}): DataSet {
  return {
    name: "sample",
    title: "a sample",
    licence: "CC0-1.0",
    homepage: "http://127.0.0.1/",
    citation: "nobody",
    folder: "sample",
    editions: [{ name: "only", files }],
    ...more,
  };
}

/** A folder that is removed at the end of its scope. */
export class TempFolder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "retort-datasets-" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }

  /** Every path below, sorted; folders end in `/`. */
  list(below = ""): string[] {
    const out: string[] = [];
    for (const entry of Deno.readDirSync(`${this.path}/${below}`)) {
      const path = below + entry.name;
      if (entry.isDirectory) out.push(`${path}/`, ...this.list(`${path}/`));
      else out.push(path);
    }
    return out.sort();
  }

  write(path: string, bytes: Uint8Array | string): string {
    const full = `${this.path}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(full, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    return full;
  }
}

/** Size in bytes of the file that `setUp` serves. */
export const size = 300_000;

/** A server with one file, an empty folder, and a call that fetches the one into the other. */
export function setUp() {
  const server = new FaultServer();
  const folder = new TempFolder();
  const file = server.add("a/data.bin", someBytes(size));
  const path = `${folder.path}/sample/a/data.bin`;
  const run = (options: Partial<Parameters<typeof fetchDataSet>[1]> = {}) =>
    fetchDataSet(entryOf([file]), { folder: folder.path, backoff: 1, retries: 3, ...options });
  const isGood = async () => sha256(await Deno.readFile(path)) === file.sha256;
  return {
    server,
    folder,
    file,
    path,
    run,
    isGood,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** A server before another one that fails on demand: cuts, errors, silence, other bytes. */

/** What goes wrong with a request. */
export type Mishap =
  /** It is answered so, and goes no further. */
  | { readonly kind: "status"; readonly status: number }
  /** It goes on, and this is answered all the same: an answer that got lost. */
  | { readonly kind: "lost"; readonly status: number }
  /** The answer breaks off after so many bytes. */
  | { readonly kind: "cut"; readonly after: number }
  /** One byte of the answer is another one. */
  | { readonly kind: "flip"; readonly at: number }
  /** Nothing comes after so many bytes of the answer. */
  | { readonly kind: "silence"; readonly after: number };

/** A rule: which requests fail, and how. */
export interface Rule {
  readonly fault: Mishap;
  readonly method?: string;
  /** What the path holds. */
  readonly path: string;
  /** How many requests fail; all without it. */
  times?: number;
}

/** Passes requests on until a rule says otherwise. */
export class Faulty implements AsyncDisposable {
  rules: Rule[] = [];
  /** Methods, paths and queries of all requests. */
  readonly asked: string[] = [];
  /** The digests of their bodies that requests told. */
  readonly digests = new Set<string | null>();
  /** A connection a request: one that the server closes meanwhile would be a mishap that no rule asked for. */
  readonly #client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #over = new AbortController();

  constructor(readonly behind: string) {
    this.#server = Deno.serve(
      {
        hostname: "127.0.0.1",
        port: 0,
        onListen: () => {},
        signal: this.#over.signal,
        onError: () => new Response(null, { status: 500 }),
      },
      (request) => this.#answer(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    this.asked.push(`${request.method} ${decodeURIComponent(pathname + search)}`);
    this.digests.add(request.headers.get("x-amz-content-sha256"));
    const rule = this.rules.find((one) =>
      (one.times ?? 1) > 0 && decodeURIComponent(pathname + search).includes(one.path) &&
      (one.method ?? request.method) === request.method
    );
    if (rule?.times !== undefined) rule.times--;
    const fault = rule?.fault;
    const body = await request.arrayBuffer();
    if (fault?.kind === "status") return new Response(null, { status: fault.status });
    const headers = new Headers(request.headers);
    headers.delete("host");
    const init = { method: request.method, headers, redirect: "manual" as const, client: this.#client };
    const answer = await fetch(
      this.behind + pathname + search,
      body.byteLength > 0 || request.method === "PUT" ? { ...init, body } : init,
    );
    if (fault?.kind === "lost") {
      await answer.body?.cancel();
      return new Response(null, { status: fault.status });
    }
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const { status } = answer;
    if (request.method === "HEAD" || [204, 304].includes(status)) {
      return new Response(null, { status, headers: answer.headers });
    }
    if (fault?.kind === "flip") bytes[fault.at]! ^= 1;
    if (fault?.kind !== "cut" && fault?.kind !== "silence") {
      return new Response(bytes, { status, headers: answer.headers });
    }
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(bytes.slice(0, fault.after));
        // What was sent has to leave before the connection ends.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (fault.kind === "cut") controller.error(new Error("cut"));
        else await new Promise(() => {});
      },
    });
    return new Response(stream, { status, headers: answer.headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#server.finished;
    this.#client.close();
  }
}

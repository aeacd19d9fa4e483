/** A Hugging Face Hub on this machine: as much of its interface as publishing and getting speak, with faults on demand. */
import { createHash } from "node:crypto";

interface Commit {
  readonly id: string;
  /** Bytes of each file. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Files from this size on are uploaded by themselves, as on the Hub. */
const LARGE = 200;

const sha = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** Serves repositories in memory until it is disposed of. */
export class FakeHub implements AsyncDisposable {
  readonly repositories = new Map<string, { commits: Commit[]; private: boolean }>();
  /** Large files by their sha256, whether a commit names them or not. */
  readonly stored = new Map<string, Uint8Array<ArrayBuffer>>();
  /** What was asked: method, path and whether the token came with it. */
  readonly asked: { method: string; path: string; token: string | null; range: string | null }[] = [];
  /** So many more uploads are answered; all if it is not set. */
  uploads = Infinity;
  /** Downloads break off after so many bytes, that of `artifact.json` excepted. */
  cut = Infinity;
  /** Set for downloads that never end. */
  hang = false;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param token that may do everything. */
  constructor(readonly token: string) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The newest files of a repository. */
  files(name: string): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
    return this.repositories.get(name)?.commits.at(-1)?.files ?? new Map();
  }

  /** Puts files as others might: by a commit of their own. */
  put(name: string, files: Record<string, string>): void {
    const found = this.repositories.get(name) ?? { commits: [], private: false };
    this.repositories.set(name, found);
    const bytes = Object.entries(files).map(([path, text]) =>
      [path, new TextEncoder().encode(text)] as const
    );
    this.#commit(found.commits, new Map([...found.commits.at(-1)?.files ?? [], ...bytes]));
  }

  #commit(commits: Commit[], files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Commit {
    const commit = { id: sha(`${commits.length} ${Math.random()}`).slice(0, 40), files };
    commits.push(commit);
    return commit;
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = decodeURIComponent(url.pathname);
    const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? null;
    this.asked.push({ method: request.method, path, token, range: request.headers.get("range") });
    const refuse = (status: number, error: string, headers = {}) =>
      Response.json({ error }, { status, headers });
    const upload = /^\/lfs\/([0-9a-f]{64})$/.exec(path);
    if (upload !== null) {
      // Whoever gives up in the middle of an upload has uploaded nothing.
      const bytes = new Uint8Array(await request.arrayBuffer().catch(() => new ArrayBuffer()));
      if (this.uploads-- <= 0) return refuse(503, "busy");
      if (sha(bytes) !== upload[1]) return refuse(400, "other bytes");
      this.stored.set(upload[1]!, bytes);
      return new Response(null);
    }
    if (request.method === "POST" && token !== this.token) return refuse(401, `Invalid credentials ${token}`);
    if (path === "/api/repos/create") {
      const { name, organization, visibility } = await request.json();
      const id = `${organization}/${name}`;
      if (this.repositories.has(id)) return refuse(409, "You already created this model repo");
      this.repositories.set(id, { commits: [], private: visibility === "private" });
      this.put(id, { ".gitattributes": "*.bin filter=lfs\n" });
      return Response.json({ url: `${this.url}/${id}`, id });
    }
    const [, id, rest] = /^\/(?:api\/models\/)?([^/]+\/[^/]+?)(?:\.git)?(\/.*)$/.exec(path) ?? [];
    const found = this.repositories.get(id ?? "");
    if (found === undefined || (found.private && token !== this.token)) {
      return refuse(404, "Repository not found");
    }
    const at = (revision: string) =>
      found.commits.findLast((commit, i) =>
        commit.id === revision || (["main", "HEAD"].includes(revision) && i === found.commits.length - 1)
      );
    const [, what, more = ""] = /^\/([^/]+)\/?(.*)$/.exec(rest!) ?? [];
    switch (what) {
      case "revision": {
        const commit = at(more);
        if (commit === undefined) return refuse(404, "Invalid rev id");
        return Response.json({ _id: "1", id, sha: commit.id, private: found.private, gated: false });
      }
      case "tree":
        return Response.json([...at(more)!.files].map(([path, bytes]) => ({
          ...{ type: "file", path, size: bytes.length, oid: sha(bytes).slice(0, 40) },
        })));
      case "preupload": {
        const { files } = await request.json();
        return Response.json({
          files: files.map((file: { path: string; size: number }) => ({
            ...{ path: file.path, uploadMode: file.size > LARGE ? "lfs" : "regular", shouldIgnore: false },
          })),
        });
      }
      case "info": {
        const { objects } = await request.json();
        return Response.json({
          transfer: "basic",
          objects: objects.map(({ oid, size }: { oid: string; size: number }) => ({
            ...{ oid, size },
            ...(this.stored.has(oid)
              ? {}
              : { actions: { upload: { href: `${this.url}/lfs/${oid}`, header: {} } } }),
          })),
        });
      }
      case "commit":
        return await this.#take(request, found.commits, refuse);
      case "resolve": {
        const [, revision, file] = /^([^/]+)\/(.*)$/.exec(more)!;
        const bytes = at(revision!)?.files.get(file!);
        if (bytes === undefined) return refuse(404, "Entry not found", { "x-error-code": "EntryNotFound" });
        return this.#send(bytes, request.headers.get("range"), file !== "artifact.json");
      }
    }
    return refuse(404, "no such address");
  }

  async #take(
    request: Request,
    commits: Commit[],
    refuse: (status: number, error: string) => Response,
  ): Promise<Response> {
    const files = new Map(commits.at(-1)?.files);
    for (const line of (await request.text()).split("\n")) {
      const { key, value } = JSON.parse(line);
      if (key === "header" && value.parentCommit !== commits.at(-1)?.id) {
        return refuse(412, "A commit has happened since");
      }
      if (key === "file") files.set(value.path, Uint8Array.fromBase64(value.content));
      if (key === "deletedFile") files.delete(value.path);
      if (key === "lfsFile") {
        const bytes = this.stored.get(value.oid);
        if (bytes === undefined) return refuse(400, `${value.oid} was not uploaded`);
        files.set(value.path, bytes);
      }
    }
    const { id } = this.#commit(commits, files);
    return Response.json({ commitOid: id, commitUrl: `${this.url}/commit/${id}`, hookOutput: "" });
  }

  #send(bytes: Uint8Array<ArrayBuffer>, range: string | null, mayBreak: boolean): Response {
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
    const end = to === "" ? bytes.length : Math.min(bytes.length, Number(to) + 1);
    const part = bytes.slice(Number(from), end);
    const headers = {
      ...{ etag: `"${sha(bytes)}"`, "content-length": String(part.length) },
      "content-range": `bytes ${from}-${end - 1}/${bytes.length}`,
    };
    const status = range === null ? 200 : 206;
    if (!mayBreak || part.length <= this.cut) return new Response(part, { status, headers });
    const { cut, hang } = this;
    let at = 0;
    const broken = new ReadableStream({
      async pull(controller) {
        // In pieces that have time to arrive, as those of large files have.
        await new Promise((resolve) => setTimeout(resolve, 100));
        const next = Math.min(cut, at + Math.ceil(cut / 4));
        if (at < cut) controller.enqueue(part.slice(at, next));
        else if (hang) await new Promise(() => {});
        else controller.close();
        at = next;
      },
    });
    // It says how much there would be: what comes is less.
    return new Response(broken, { status, headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

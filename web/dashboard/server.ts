import { messageOf, RetortError } from "../../foundation/errors.ts";
import { hintOf } from "../../foundation/errors.ts";
import type { Store } from "../../runner/store/store.ts";
import { type Address, admit, answer, answerJson, keepAddress, keptAddress } from "./access.ts";
import {
  artifactFile,
  artifactPage,
  askModel,
  comparePage,
  explorePage,
  logPiece,
  runPage,
  seedsOf,
} from "./api.ts";
import { bundlePage } from "./bundle.ts";
import { Explorer } from "../explorer/explorer.ts";
import { listRuns } from "./list.ts";
import { liveEvents } from "./live.ts";
import { LiveRecords } from "./records.ts";

/** A dashboard that is being served. */
export interface Dashboard extends AsyncDisposable {
  /** Where it is reached, with the secret in it. */
  readonly url: string;
  /** Settles when it is over. */
  readonly finished: Promise<void>;
}

const SHELL = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Retort</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
</head>
<body>
<div id="root"><p class="page">loading …</p></div>
<script type="module" src="page.js"></script>
</body>
</html>
`;

/**
 * Serves a store's dashboard on this machine alone. It only reads.
 *
 * @param port the port; without one that of the last time, or any when that is taken
 * @throws RetortError when the named port is taken.
 */
export async function serveDashboard(store: Store, port?: number): Promise<Dashboard> {
  const script = await bundlePage();
  const style = await Deno.readTextFile(new URL("../style.css", import.meta.url));
  const records = new LiveRecords(store);
  const explorer = new Explorer();
  const remembered = keptAddress(store);
  let address: Address = { ...remembered, port: port ?? remembered.port };
  const handler = async (request: Request) => {
    const admitted = admit(request, address);
    if ("refused" in admitted) return admitted.refused;
    const { path } = admitted;
    if (path === "") return answer(SHELL, "text/html; charset=utf-8");
    if (path === "page.js") return answer(script, "text/javascript; charset=utf-8");
    if (path === "style.css") return answer(style, "text/css; charset=utf-8");
    try {
      return await answerApi({ store, live: records, explorer }, path, new URL(request.url).searchParams);
    } catch (error) {
      const known = error instanceof RetortError;
      const status = known ? (error.exitCode === 2 ? 404 : 500) : 500;
      return answerJson({ error: messageOf(error), hint: hintOf(error) ?? null }, status);
    }
  };
  const server = listen(handler, address.port, port === undefined);
  address = { ...address, port: server.addr.port };
  keepAddress(store, address);
  return {
    url: `http://127.0.0.1:${address.port}/${address.token}/`,
    finished: server.finished,
    async [Symbol.asyncDispose]() {
      // Streams of open pages never end by themselves.
      await Promise.race([server.shutdown(), new Promise((resolve) => setTimeout(resolve, 200))]);
      await explorer[Symbol.asyncDispose]();
      records[Symbol.dispose]();
    },
  };
}

function listen(
  handler: (request: Request) => Promise<Response>,
  port: number,
  another: boolean,
): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "127.0.0.1", port, onListen: () => {} };
  try {
    return Deno.serve(options, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    if (another) return Deno.serve({ ...options, port: 0 }, handler);
    throw new RetortError(`port ${port} is in use`, { hint: "Name another one with --port, or none." });
  }
}

/** What answers are made from. */
interface Sources {
  readonly store: Store;
  readonly live: LiveRecords;
  readonly explorer: Explorer;
}

async function answerApi(
  { store, live, explorer }: Sources,
  path: string,
  query: URLSearchParams,
): Promise<Response> {
  switch (path) {
    case "api/events":
      return answer(liveEvents(store, live, query), "text/event-stream; charset=utf-8");
    case "api/runs":
      return answerJson(listRuns(store, live.get(), query));
    case "api/run":
      return answerJson(await runPage(store, live.get(), query.get("id") ?? ""));
    case "api/seeds":
      return answerJson(seedsOf(live.get(), query.get("id") ?? ""));
    case "api/log":
      return answerJson(logPiece(store, live.get(), query));
    case "api/artifact":
      return answerJson(await artifactPage(store, live.get(), query.get("digest") ?? ""));
    case "api/explore":
      return answerJson(explorePage(store, live.get(), query.get("digest") ?? ""));
    case "api/ask":
      return answerJson(await askModel(store, live.get(), explorer, query));
    case "api/compare":
      return answerJson(comparePage(store, live.get(), query.getAll("run")));
    case "api/file": {
      const name = query.get("name") ?? "";
      const bytes = await artifactFile(store, live.get(), query.get("digest") ?? "", name);
      // Whatever it is, it is saved and never opened as a page of this place.
      const saved = encodeURIComponent(name.split("/").at(-1)!).replaceAll("'", "%27");
      return answer(bytes, "application/octet-stream", {
        headers: { "content-disposition": `attachment; filename*=UTF-8''${saved}` },
      });
    }
    default:
      return answerJson({ error: "there is no such address", hint: null }, 404);
  }
}

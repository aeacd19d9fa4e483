import { codeOf, hintOf, messageOf, RetortError } from "../../foundation/errors.ts";
import type { Store } from "../../runner/store/store.ts";
import {
  admit,
  answer,
  answerJson,
  CHANGES,
  type Doors,
  keepAddress,
  keptAddress,
  publicHost,
} from "./access.ts";
import { makeAssets } from "./assets.ts";
import { standingOfNode } from "./standing.ts";
import { artifactFile, artifactPage, comparePage, logPiece, runPage, seedsOf } from "./api.ts";
import { askModel, explorePage } from "./explore.ts";
import { Explorer } from "../explorer/explorer.ts";
import { graphOfRun } from "./graph.ts";
import { csvOfRuns, listRuns, plotRuns } from "./list.ts";
import { annotateRuns, cancel } from "./changes.ts";
import { columnChoice } from "./columns.ts";
import { LiveStreams } from "./live.ts";
import { Thumbnails } from "./thumbnails.ts";
import { type Incoming, listen } from "./listen.ts";
import { LiveRecords } from "./records.ts";
import { WrongQuestion } from "./wrong_question.ts";

/** A running dashboard. */
export interface Dashboard extends AsyncDisposable {
  /** Its URL, including the secret. */
  readonly url: string;
  /** The same for the public host names of tunnels and proxies. */
  readonly publicUrls: readonly string[];
  /** Settles when the dashboard has stopped. */
  readonly finished: Promise<void>;
}

/** Options of the dashboard's server. */
export interface ServeOptions {
  /** The port; by default the previous one, or any if that is taken. */
  readonly port?: number;
  /** `NAME` or `NAME:PORT` of tunnels and proxies that lead to it. */
  readonly publicHosts?: readonly string[];
  /** Timeout in milliseconds for receiving a request. */
  readonly patience?: number;
}

/**
 * Serves a store's dashboard on the loopback interface only.
 *
 * @throws RetortError when the named port is taken, CallError when a public host is no name.
 */
export async function serveDashboard(store: Store, options: ServeOptions = {}): Promise<Dashboard> {
  const publicHosts = (options.publicHosts ?? []).map(publicHost);
  const assets = await makeAssets();
  const records = new LiveRecords(store);
  const explorer = new Explorer();
  const streams = new LiveStreams(store, records);
  const thumbnails = new Thumbnails();
  const remembered = keptAddress(store);
  let doors: Doors = { ...remembered, port: options.port ?? remembered.port, publicHosts };
  const handler = async (request: Incoming) => {
    const admitted = admit(request, doors);
    if ("refused" in admitted) return admitted.refused;
    const { path, query } = admitted;
    if (path === "") return assets.page();
    const asset = assets.at(path);
    if (asset !== undefined) return asset;
    try {
      const sources = { store, live: records, explorer, streams, thumbnails };
      if (CHANGES.has(path)) return answerJson(change(sources, path, await bodyOf(request)));
      return await answerApi(sources, path, query);
    } catch (error) {
      const code = codeOf(error) ?? "command/unexpected";
      return answerJson({ code, error: messageOf(error), hint: hintOf(error) ?? null }, statusOf(error));
    }
  };
  const server = await listen(handler, doors.port, options.port === undefined, options.patience);
  doors = { ...doors, port: server.port };
  const held = keepAddress(store, { token: doors.token, port: doors.port });
  return {
    url: `http://127.0.0.1:${doors.port}/${doors.token}/`,
    publicUrls: publicHosts.map((host) => `http://${host}/${doors.token}/`),
    finished: server.finished,
    async [Symbol.asyncDispose]() {
      held?.release();
      server.close();
      await explorer[Symbol.asyncDispose]();
      records[Symbol.dispose]();
    },
  };
}

function statusOf(error: unknown): number {
  if (error instanceof WrongQuestion) return error.status;
  return error instanceof RetortError && error.exitCode === 2 ? 404 : 500;
}

async function bodyOf(request: Incoming): Promise<unknown> {
  const text = await request.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WrongQuestion("page/argument", "the body is not JSON", { cause });
  }
}

/** Performs a change requested by a page. */
function change({ store, live }: Sources, path: string, body: unknown): unknown {
  if (path === "api/annotate") return annotateRuns(store, live.get(), body);
  cancel(store, live.get(), body);
  return null;
}

/** What responses are made from. */
interface Sources {
  readonly store: Store;
  readonly live: LiveRecords;
  readonly explorer: Explorer;
  readonly streams: LiveStreams;
  readonly thumbnails: Thumbnails;
}

async function answerApi(
  { store, live, explorer, streams, thumbnails }: Sources,
  path: string,
  query: URLSearchParams,
): Promise<Response> {
  switch (path) {
    case "api/events":
      return answer(streams.open(query.get("stream") ?? ""), "text/event-stream; charset=utf-8");
    case "api/watch":
      streams.watch(query);
      return answerJson(null);
    case "api/unwatch":
      streams.unwatch(query);
      return answerJson(null);
    case "api/runs":
      return answerJson(listRuns(store, live.get(), query));
    case "api/thumbnails":
      return answerJson(await thumbnails.of(store, live.get(), query));
    case "api/columns":
      return answerJson(columnChoice(live.get(), query.get("pipeline") || undefined));
    case "api/points":
      return answerJson(plotRuns(store, live.get(), query));
    case "api/csv":
      return answer(csvOfRuns(store, live.get(), query), "text/csv; charset=utf-8", {
        headers: { "content-disposition": 'attachment; filename="runs.csv"' },
      });
    case "api/run":
      return answerJson(await runPage(store, live.get(), query.get("id") ?? ""));
    case "api/graph":
      return answerJson(await graphOfRun(store, live.get(), query));
    case "api/seeds":
      return answerJson(seedsOf(live.get(), query.get("id") ?? ""));
    case "api/log":
      return answerJson(logPiece(store, live.get(), query));
    case "api/standing":
      return answerJson(standingOfNode(store, live.get(), query));
    case "api/artifact":
      return answerJson(await artifactPage(store, live.get(), query.get("digest") ?? ""));
    case "api/explore":
      return answerJson(await explorePage(store, live.get(), query.get("digest") ?? ""));
    case "api/ask":
      return answerJson(await askModel(store, live.get(), explorer, query));
    case "api/compare":
      return answerJson(await comparePage(store, live.get(), query.getAll("run")));
    case "api/file": {
      const name = query.get("name") ?? "";
      const bytes = await artifactFile(store, live.get(), query.get("digest") ?? "", name);
      // Always a download, never opened as a page of this origin.
      const saved = encodeURIComponent(name.split("/").at(-1)!).replaceAll("'", "%27");
      return answer(bytes, "application/octet-stream", {
        headers: { "content-disposition": `attachment; filename*=UTF-8''${saved}` },
      });
    }
    default:
      return answerJson({ code: "page/not-found", error: "there is no such address", hint: null }, 404);
  }
}

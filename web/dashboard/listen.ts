import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RetortError } from "../../foundation/errors.ts";

/** A received request. */
export interface Incoming {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  /**
   * The body as text.
   * @throws RetortError when it is longer than 64 KiB
   */
  text(): Promise<string>;
}

/** A listening socket on this machine. */
export interface Listener {
  readonly port: number;
  /** Settles when the listener is closed. */
  readonly finished: Promise<void>;
  /** Closes every connection. */
  close(): void;
}

/** Timeouts in milliseconds: for receiving a request, and for an idle connection. */
const HEADERS = 10_000, IDLE = 30_000;
/** Maximum number of connections: six for each of many browsers. Any more are closed at once. */
const CONNECTIONS = 512;
/** Maximum size of a body in bytes. */
const BODY = 64 << 10;

/**
 * Listens on 127.0.0.1.
 *
 * @param another whether to use any other port if the given one is taken
 * @param patience timeout in milliseconds for receiving a request
 * @throws RetortError when the port is taken and no other will do.
 */
export async function listen(
  handler: (request: Incoming) => Promise<Response>,
  port: number,
  another: boolean,
  patience = HEADERS,
): Promise<Listener> {
  const server = createServer({
    headersTimeout: patience,
    requestTimeout: 3 * patience,
    connectionsCheckingInterval: Math.min(2000, patience),
    keepAliveTimeout: IDLE,
  }, (request, response) => {
    respond(handler, request, response).catch(() => response.destroy());
  });
  server.maxConnections = CONNECTIONS;
  const bound = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    await bound(port);
  } catch (error) {
    if ((error as { code?: string }).code !== "EADDRINUSE") throw error;
    if (!another) {
      throw new RetortError("page/port-in-use", `port ${port} is in use`, {
        hint: "Name another one with --port, or none.",
      });
    }
    await bound(0);
  }
  const finished = new Promise<void>((resolve) => server.once("close", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    finished,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function respond(
  handler: (request: Incoming) => Promise<Response>,
  request: IncomingMessage,
  out: ServerResponse,
): Promise<void> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, [value].flat().join(", "));
  }
  const answer = await handler({
    method: request.method ?? "",
    target: request.url ?? "",
    headers,
    text: () => bodyOf(request),
  });
  out.writeHead(answer.status, Object.fromEntries(answer.headers));
  const reader = answer.body?.getReader();
  if (reader === undefined || request.method === "HEAD") {
    await reader?.cancel();
    out.end();
    return;
  }
  const gone = new Promise<void>((resolve) => out.once("close", resolve));
  gone.then(() => reader.cancel());
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!out.write(part.value)) {
      await Promise.race([gone, new Promise<void>((resolve) => out.once("drain", resolve))]);
    }
  }
  out.end();
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > BODY) throw new RetortError("page/limit", `the request has more than ${BODY} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { CallError } from "../../foundation/errors.ts";
import { type Lock, tryLock } from "../../foundation/locks.ts";
import type { Store } from "../../runner/store/store.ts";
import type { Incoming } from "./listen.ts";

/** Where a dashboard was reached last, so that open pages find it again after a restart. */
export interface Address {
  readonly token: string;
  readonly port: number;
}

/** Port where none is named. */
const DEFAULT_PORT = 8710;

/** The address of a store's dashboard: the one that it had before, else a new secret. Kept for the owner's eyes alone. */
export function keptAddress(store: Store): Address {
  try {
    const { token, port } = JSON.parse(Deno.readTextFileSync(pathOf(store)));
    if (/^[\w-]{43}$/.test(token) && Number.isInteger(port) && port > 0 && port < 65536) {
      return { token, port };
    }
  } catch {
    // None yet, or not readable: a new one.
  }
  return { token: randomBytes(32).toString("base64url"), port: DEFAULT_PORT };
}

/**
 * Remembers an address; where the store cannot be written, the next start has another one. Of several dashboards of a
 * store the first is the one whose address is remembered.
 *
 * @returns what is held as long as this dashboard lasts; undefined where another one holds it.
 */
export function keepAddress(store: Store, address: Address): Lock | undefined {
  let held: Lock | undefined;
  try {
    held = tryLock(`${store.root}/dashboard.lock`);
    if (held === undefined) return undefined;
    const temp = `${pathOf(store)}.new`;
    Deno.writeTextFileSync(temp, `${JSON.stringify(address)}\n`, { mode: 0o600 });
    Deno.renameSync(temp, pathOf(store));
  } catch {
    // A read-only store.
  }
  return held;
}

function pathOf(store: Store): string {
  return `${store.root}/dashboard.json`;
}

/** Headers of every answer: nothing is kept, framed, sniffed, or loaded from elsewhere. */
const HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'", // Plots carry a style of their own.
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** An answer with the headers that all have. */
export function answer(
  body: BodyInit | null,
  type: string,
  options: { status?: number; headers?: Record<string, string> } = {},
): Response {
  return new Response(body, {
    status: options.status ?? 200,
    headers: { ...HEADERS, "content-type": type, ...options.headers },
  });
}

/** A JSON answer. */
export function answerJson(value: unknown, status = 200): Response {
  return answer(JSON.stringify(value), "application/json; charset=utf-8", { status });
}

/** Under which names a dashboard is asked: a tunnel or a proxy has one of its own. */
export interface Doors extends Address {
  /** `NAME` or `NAME:PORT` as browsers say it, in small letters. */
  readonly publicHosts: readonly string[];
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/**
 * A name under which a tunnel or a proxy makes this machine's dashboard known.
 * @throws CallError when it is no `NAME` or `NAME:PORT`
 */
export function publicHost(text: string): string {
  const host = text.toLowerCase();
  if (HOST.test(host)) return host;
  throw new CallError(
    "command/options",
    `--public-host is ${JSON.stringify(text)}, which is not NAME or NAME:PORT`,
    {
      hint:
        "Give what stands between http:// and the next slash in the browser, as in --public-host localhost:9999",
    },
  );
}

/** What a request is let in to: the path behind the secret. */
export interface Admitted {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Addresses that change something: they take JSON by POST, and nothing else does. */
export const CHANGES: ReadonlySet<string> = new Set(["api/annotate", "api/cancel"]);

/**
 * Why a request is refused, or the path behind the token. The host must be this machine by name or number, or a name
 * that was given for it, so that a foreign name that points here is none; requests that another site makes are refused
 * whatever they know. What changes something must be sent by a page of the dashboard itself.
 */
export function admit(
  { method, target, headers }: Pick<Incoming, "method" | "target" | "headers">,
  doors: Doors,
): Admitted | { readonly refused: Response } {
  const refuse = (status: number, text: string) => ({
    refused: answer(`${text}\n`, "text/plain; charset=utf-8", { status }),
  });
  const hosts = [...["127.0.0.1", "localhost"].map((name) => `${name}:${doors.port}`), ...doors.publicHosts];
  const host = (headers.get("host") ?? "").toLowerCase();
  if (!hosts.includes(host)) {
    const named = HOST.test(host) ? host : "NAME:PORT";
    return refuse(
      403,
      `${
        named === host ? host : "what was asked"
      } is not a name of this machine. If a tunnel or a proxy leads here, ` +
        `start the dashboard with --public-host ${named}`,
    );
  }
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return refuse(403, "asked by another site");
  const url = URL.parse(target, "http://dashboard");
  const [, token = "", path] = /^\/([^/]*)(?:\/(.*))?$/.exec(url?.pathname ?? "") ?? [];
  const changes = path !== undefined && CHANGES.has(path);
  if (changes ? method !== "POST" : method !== "GET" && method !== "HEAD") {
    return refuse(405, changes ? "this is done by POST" : "only reading is possible");
  }
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (!timingSafeEqual(digest(token), digest(doors.token)) || path === undefined || url === null) {
    return refuse(
      403,
      "The secret in the address is missing or wrong: open the address that `deno task dashboard` prints.",
    );
  }
  if (changes) {
    const origin = headers.get("origin");
    if (site === "none" || (origin !== null && URL.parse(origin)?.host !== host)) {
      return refuse(403, "only a page of the dashboard itself changes something");
    }
    if (headers.get("content-type") !== "application/json") return refuse(415, "JSON is expected");
  }
  return { path, query: url.searchParams };
}

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { CallError } from "../../foundation/errors.ts";
import { type Lock, tryLock } from "../../foundation/locks.ts";
import type { Store } from "../../runner/store/store.ts";
import type { Incoming } from "./listen.ts";

/** The last address of a dashboard, so that open pages find it again after a restart. */
export interface Address {
  readonly token: string;
  readonly port: number;
}

/** Default port. */
const DEFAULT_PORT = 8710;

/** The address of a store's dashboard: the previous one, or a new one with a new secret. Readable by its owner only. */
export function keptAddress(store: Store): Address {
  try {
    const { token, port } = JSON.parse(Deno.readTextFileSync(pathOf(store)));
    if (/^[\w-]{43}$/.test(token) && Number.isInteger(port) && port > 0 && port < 65536) {
      return { token, port };
    }
  } catch {
    // Missing or unreadable: make a new one.
  }
  return { token: randomBytes(32).toString("base64url"), port: DEFAULT_PORT };
}

/**
 * Saves an address. If the store cannot be written, the next start uses another address. Among several dashboards of one
 * store, the first one's address is saved.
 *
 * @returns a lock held while this dashboard runs; undefined if another one holds it.
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

/** What a response may load and run: only what the dashboard serves, and scripts inside a page with these digests. */
export function contentPolicy(...scripts: readonly string[]): string {
  return [
    "default-src 'none'",
    ["script-src 'self'", ...scripts].join(" "),
    "style-src 'self' 'unsafe-inline'", // Plots have inline styles.
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Headers of every response: no caching, framing, content sniffing, or loading from other origins. */
const HEADERS = {
  "content-security-policy": contentPolicy(),
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** A response with the common headers. */
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

/** A JSON response. */
export function answerJson(value: unknown, status = 200): Response {
  return answer(JSON.stringify(value), "application/json; charset=utf-8", { status });
}

/** The host names that a dashboard is reached by: tunnels and proxies have their own. */
export interface Doors extends Address {
  /** `NAME` or `NAME:PORT` as browsers send it, in lower case. */
  readonly publicHosts: readonly string[];
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/**
 * Validates a host name by which a tunnel or a proxy exposes this machine's dashboard.
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

/** An admitted request: the path behind the secret. */
export interface Admitted {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Endpoints that change something: they accept JSON by POST, and no others do. */
export const CHANGES: ReadonlySet<string> = new Set(["api/annotate", "api/cancel"]);

/**
 * Checks a request. Returns the reason to refuse it, or the path behind the secret. The host must be this machine by
 * name or IP address, or a configured public name, which prevents DNS rebinding. Cross-site requests are refused even
 * with the secret. Changes must be sent by a page of the dashboard itself.
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

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Store } from "../../runner/store/store.ts";

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

/** Remembers an address; where the store cannot be written, the next start has another one. */
export function keepAddress(store: Store, address: Address): void {
  try {
    const temp = `${pathOf(store)}.new`;
    Deno.writeTextFileSync(temp, `${JSON.stringify(address)}\n`, { mode: 0o600 });
    Deno.renameSync(temp, pathOf(store));
  } catch {
    // A read-only store.
  }
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

/**
 * Why a request is refused, or the path behind the token. The host must be this machine by name or number, so
 * that a foreign name that points here is none; requests that another site makes are refused whatever they know.
 */
export function admit(
  request: Request,
  address: Address,
): { readonly path: string } | { readonly refused: Response } {
  const refuse = (status: number, text: string) => ({
    refused: answer(`${text}\n`, "text/plain; charset=utf-8", { status }),
  });
  const hosts = ["127.0.0.1", "localhost"].map((name) => `${name}:${address.port}`);
  if (!hosts.includes(request.headers.get("host") ?? "")) return refuse(403, "not a name of this machine");
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return refuse(403, "asked by another site");
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(405, "only reading is possible");
  const [, token = "", path] = /^\/([^/]*)(?:\/(.*))?$/.exec(new URL(request.url).pathname) ?? [];
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (!timingSafeEqual(digest(token), digest(address.token)) || path === undefined) {
    return refuse(
      403,
      "The secret in the address is missing or wrong: open the address that `deno task dashboard` prints.",
    );
  }
  return { path };
}

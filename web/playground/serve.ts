import { extname, join, sep as SEPARATOR } from "node:path";
import { listen, type Listener } from "../dashboard/listen.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/**
 * Serves a folder of static files on the loopback interface, as any host would.
 *
 * @throws RetortError when the port is taken.
 */
export async function serveFolder(folder: string, port = 0): Promise<Listener> {
  return await listen(({ method, target }) => answerFile(folder, method, target), port, false);
}

async function answerFile(folder: string, method: string, target: string): Promise<Response> {
  if (method !== "GET" && method !== "HEAD") return new Response("only GET", { status: 405 });
  let path: string;
  try {
    path = decodeURIComponent(target.split("?")[0]!);
  } catch {
    return new Response("not found", { status: 404 });
  }
  if (path.endsWith("/")) path += "index.html";
  const file = join(folder, path);
  if (!file.startsWith(`${folder}${SEPARATOR}`) || path.includes("\0")) {
    return new Response("not found", { status: 404 });
  }
  try {
    const body = await Deno.readFile(file);
    return new Response(body, {
      headers: {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "content-length": String(body.length),
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
      },
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) {
      return new Response("not found", { status: 404 });
    }
    throw error;
  }
}

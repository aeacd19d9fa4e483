import { RetortError } from "../foundation/errors.ts";
import type { TabEngineChoice } from "./engine_names.ts";

/** Where a model comes from: its address, relative to the page; its bytes; or a file that was dropped. */
export type ModelSource = string | URL | Blob | Uint8Array;

/** How a model is opened. */
export interface ModelOptions {
  /** The engine; `auto` if omitted. */
  readonly engine?: TabEngineChoice;
  /** Called while the file is fetched; `total` is 0 where the host does not say. */
  readonly onProgress?: (bytes: { readonly done: number; readonly total: number }) => void;
  /** Ends the fetching. */
  readonly signal?: AbortSignal;
}

/** The most bytes that a page takes: beyond them a tab would end without a word. */
const MOST_BYTES = 1 << 29;

/** Refuses what a tab cannot hold, before it is read. @throws {RetortError} */
export function checkModelSize(bytes: number, where: string): void {
  if (bytes <= MOST_BYTES) return;
  throw new RetortError(
    "page/limit",
    `${where} has ${Math.ceil(bytes / 2 ** 20)} MiB, and a page takes ${MOST_BYTES / 2 ** 20}`,
    {
      hint: "Export it with fewer bits or states.",
    },
  );
}

/** How messages name a model. */
export function modelName(from: ModelSource): string {
  if (from instanceof Blob) return "name" in from ? String(from.name) : "the file";
  return from instanceof Uint8Array ? "the file" : String(from);
}

/** The bytes of a model. @throws {RetortError} when it cannot be fetched, or is too large for a tab */
export async function modelBytes(
  from: ModelSource,
  { onProgress, signal }: ModelOptions,
): Promise<Uint8Array> {
  if (from instanceof Uint8Array) return from;
  if (from instanceof Blob) {
    checkModelSize(from.size, modelName(from));
    return new Uint8Array(await from.arrayBuffer());
  }
  const fail = (why: string, cause?: unknown): never => {
    throw new RetortError("page/not-found", `the model ${from} cannot be fetched: ${why}`, { cause });
  };
  const response = await fetch(from, signal === undefined ? {} : { signal }).catch((cause) =>
    fail(cause instanceof Error ? cause.message : String(cause), cause)
  );
  if (!response.ok || response.body === null) fail(`the host answers ${response.status}`);
  const total = Number(response.headers.get("content-length") ?? 0);
  checkModelSize(total, modelName(from));
  const parts: Uint8Array[] = [];
  let done = 0;
  for (const reader = response.body!.getReader();;) {
    const { value } = await reader.read();
    if (value === undefined) break;
    parts.push(value);
    done += value.length;
    checkModelSize(done, modelName(from));
    onProgress?.({ done, total });
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * The few uses of the file system that circuits and engines make, in Deno, Node and Bun alike.
 */
import { RetortError } from "./errors.ts";
import { nodeModule } from "./node_module.ts";

/** Whether an error of this module says that a file or its folder is not there. */
export function isNotFound(error: unknown): boolean {
  return hasCode(error, "ENOENT");
}

/** Whether an error of this module says that a part of a path is a file, not a folder. */
export function isNotFolder(error: unknown): boolean {
  return hasCode(error, "ENOTDIR");
}

function hasCode(error: unknown, code: string): boolean {
  return (error as { code?: unknown } | undefined)?.code === code;
}

/** The bytes of a file. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await nodeModule("node:fs/promises").readFile(path);
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes a file in place, making its folders. */
export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  const { mkdir, writeFile } = nodeModule("node:fs/promises");
  await mkdir(nodeModule("node:path").dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/** Writes a file, making its folders, so that a reader sees the old file or the whole new one. */
export async function replaceBytes(path: string, bytes: Uint8Array): Promise<void> {
  const { rename, rm } = nodeModule("node:fs/promises");
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeBytes(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** A file of which parts are read. */
export interface OpenFile {
  /** Its size in bytes. */
  readonly size: number;
  /** Fills `bytes` with what stands from `at` on. @throws {RetortError} when the file ends before that */
  fill(at: number, bytes: Uint8Array): Promise<void>;
}

/** Calls `body` with an open file, and closes it. */
export async function withFile<T>(path: string, body: (file: OpenFile) => Promise<T>): Promise<T> {
  const handle = await nodeModule("node:fs/promises").open(path);
  try {
    const { size } = await handle.stat();
    return await body({
      size,
      async fill(at, bytes) {
        for (let done = 0; done < bytes.length;) {
          const { bytesRead } = await handle.read(bytes, done, bytes.length - done, at + done);
          if (bytesRead === 0) {
            throw new RetortError("file/shorter", `${path} became shorter while it was read`);
          }
          done += bytesRead;
        }
      },
    });
  } finally {
    await handle.close();
  }
}

/** Calls `body` with the path of a new folder, which is removed afterwards with all that is in it. */
export async function withTemporaryFolder<T>(
  prefix: string,
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const { mkdtemp, rm } = nodeModule("node:fs/promises");
  const folder = await mkdtemp(nodeModule("node:path").join(nodeModule("node:os").tmpdir(), prefix));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What gzip packed, all members of it. */
export function unpackGzip(bytes: Uint8Array): Uint8Array {
  return nodeModule("node:zlib").gunzipSync(bytes);
}

import { RetortError } from "../../foundation/errors.ts";
import { type ByteSource, type Codec, defineCodec, type FileEntry } from "../codec.ts";

/** A folder of files as a stage reads it. */
export interface Files {
  /** The files: name inside the folder, size in bytes, sha256. */
  readonly entries: readonly FileEntry[];
  /** Absolute path of a file whose bytes were checked. Read-only. */
  path(name: string): Promise<string>;
  /** Checked bytes of a file. */
  bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Checked text of a file. */
  text(name: string): Promise<string>;
}

/** What a stage returns for a folder: bytes to write or a finished file in its scratch folder. */
export type NewFiles = Record<string, ByteSource | string | { readonly path: string }>;

/**
 * A codec of a folder of files. Also the type of data that lies outside the store (`locate` stages).
 * A string is written as UTF-8 text. Facts: number of files and bytes.
 */
export const files: Codec<Files, NewFiles, "files"> = defineCodec<Files, NewFiles, "files">({
  name: "files",
  version: 1,
  async write(value, out) {
    if (typeof value !== "object" || value === null) {
      throw new RetortError("artifact/value", "expected an object: name -> content");
    }
    for (const [name, content] of Object.entries(value)) {
      if (typeof content === "string") await out.text(name, content);
      else if (isPath(content)) await out.adopt(name, content.path);
      else await out.bytes(name, content);
    }
    return { files: Object.keys(value).length };
  },
  // deno-lint-ignore require-await -- a folder is read lazily
  async read(artifact) {
    return {
      entries: artifact.artifact.files,
      path: (name) => artifact.path(name),
      bytes: (name) => artifact.bytes(name),
      text: (name) => artifact.text(name),
    };
  },
});

function isPath(content: ByteSource | { readonly path: string }): content is { readonly path: string } {
  return "path" in content && typeof content.path === "string";
}

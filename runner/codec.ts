import { CallError } from "../foundation/errors.ts";
import type { Digest, JsonObject, JsonValue } from "../foundation/canonical.ts";

/** One file of an artifact: its name inside the artifact, its size in bytes, the sha256 of its bytes. */
export interface FileEntry {
  /** Relative POSIX path inside the artifact. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** sha256 of its bytes. */
  readonly digest: Digest;
  /** Only for data outside the store: where the file lies. Never part of a digest. */
  readonly location?: string;
}

/** The manifest of an artifact: everything except the bytes of its files. */
export interface Artifact {
  /** sha256 of the canonical JSON of `codec`, `version`, `facts` and `files` without locations. */
  readonly digest: Digest;
  /** Name of the codec that wrote it. */
  readonly codec: string;
  /** Version of that codec. */
  readonly version: number;
  /** Facts about the value that need no loading: shape, element type, counts. */
  readonly facts: JsonObject;
  /** By name, in the order of code units. */
  readonly files: readonly FileEntry[];
}

/** A source of bytes for a codec to write. */
export type ByteSource =
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** Receives the files that a codec writes. File names are relative POSIX paths without `..`. */
export interface ArtifactWriter {
  /** Writes a file from a stream or from bytes, hashing as it goes. */
  bytes(name: string, source: ByteSource): Promise<void>;
  /** Writes a UTF-8 file. */
  text(name: string, text: string): Promise<void>;
  /** Writes a file of canonical JSON. */
  json(name: string, value: JsonValue): Promise<void>;
  /** Takes over a finished file from the stage's scratch folder. */
  adopt(name: string, path: string): Promise<void>;
  /**
   * Refers to a file that is already among the objects, so that a checkpoint can reuse the files of the previous
   * one without rewriting them. Throws when it is not there.
   */
  keep(name: string, file: FileEntry): void;
}

/** Gives a codec the files of an artifact. Every method checks the digest. */
export interface ArtifactReader {
  /** The manifest. */
  readonly artifact: Artifact;
  /** The absolute path of a file whose bytes have been checked; read-only. */
  path(name: string): Promise<string>;
  /** The checked bytes of a file. */
  bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The checked text of a file. */
  text(name: string): Promise<string>;
  /** The checked JSON value of a file. */
  json(name: string): Promise<JsonValue>;
}

/**
 * How an artifact type is written to disk, read back and checked. Codecs with different names are different types:
 * an output of one cannot be wired to an input of the other, even if their values look the same.
 */
export interface Codec<Read, Write = Read, Name extends string = string> {
  /** The type's name: letters, digits, `.`, `_`, `-`. */
  readonly name: Name;
  /** Part of every artifact's digest: raise it when the files on disk change their format. */
  readonly version: number;
  /** Writes the value; returns the artifact's facts. Throws when the value is not of its type. */
  write(value: Write, out: ArtifactWriter): Promise<JsonObject | void>;
  /** Reads and checks the value; may return a handle that reads lazily. */
  read(artifact: ArtifactReader): Promise<Read>;
  /**
   * Summarises a value in a few lines for people, shown at the end of a run and by `show`. Not part of the
   * artifact. Without it, small JSON and text are shown as they are.
   */
  summary?(value: Read): string | Promise<string>;
}

/** Any codec. */
// deno-lint-ignore no-explicit-any -- the value types vary and meet only through inference
export type AnyCodec = Codec<any, any, string>;

/** The value that a stage receives for an input of this codec. */
export type ReadOf<C> = C extends Codec<infer R, infer _W, string> ? R : never;
/** The value that a stage returns for an output of this codec. */
export type WriteOf<C> = C extends Codec<infer _R, infer W, string> ? W : never;

/**
 * Declares a codec.
 *
 * @throws CallError when the name or the version is not usable.
 */
export function defineCodec<Read, Write = Read, const Name extends string = string>(
  codec: Codec<Read, Write, Name>,
): Codec<Read, Write, Name> {
  if (!/^[A-Za-z][\w.-]{0,79}$/.test(codec.name)) {
    throw new CallError(
      "codec/declaration",
      `codec name ${JSON.stringify(codec.name)}: expected letters, digits, . _ -`,
    );
  }
  if (!Number.isInteger(codec.version) || codec.version < 1) {
    throw new CallError("codec/declaration", `codec ${codec.name}: version must be a whole number from 1`);
  }
  return codec;
}

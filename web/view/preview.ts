import type { Artifact, FileEntry } from "../../runner/codec.ts";
import type { JsonValue } from "../../foundation/canonical.ts";
import { messageOf } from "../../foundation/errors.ts";
import { artifactReader } from "../../runner/store/artifacts.ts";
import type { Store } from "../../runner/store/store.ts";
import { PARAMETERS_FILE, STRUCTURE_FILE } from "../../circuits/disk.ts";
import { type CircuitPreview, circuitPreview } from "./circuit_preview.ts";
import { type NpyHead, npyHead, npyNumbers } from "../../foundation/npy.ts";
import { contactSheet, encodePlainPng, imageLayout } from "./png.ts";
import { type ShownTable, shownTables } from "./shown_tables.ts";
import { summarise, type TensorSummary } from "./tensor.ts";
import { decodeSafetensors } from "../../circuits/safetensors.ts";

/** Preview of a file of an artifact. Plain JSON; pictures are data URLs. */
export type Preview =
  | {
    readonly kind: "value";
    readonly value: JsonValue;
    /** Tables of the value for people, if its codec has them. */
    readonly tables?: readonly ShownTable[];
  }
  | { readonly kind: "text"; readonly text: string; readonly cut: boolean }
  | {
    readonly kind: "tensor";
    readonly name: string;
    readonly type: string;
    readonly shape: readonly number[];
    readonly summary: TensorSummary;
    /** Whether only the beginning was read. */
    readonly partial: boolean;
    /** The numbers as words, if the artifact has an associated vocabulary. */
    readonly words?: string;
    /** The numbers as images. */
    readonly picture?: string;
  }
  | { readonly kind: "picture"; readonly url: string }
  | ({ readonly kind: "circuit" } & CircuitPreview)
  | { readonly kind: "opaque"; readonly why: string }
  | { readonly kind: "fault"; readonly message: string };

/** A file with its preview. */
export interface FilePreview {
  readonly file: string;
  readonly preview: Preview;
}

/** Files up to this many bytes are read whole and verified; of larger ones the beginning is shown unverified. */
const CHECKED_BYTES = 32 << 20;
const PARTIAL_BYTES = 8 << 20;
/** Maximum number of characters shown of a text file. */
const SHOWN_TEXT = 20_000;
/** Values larger than this many bytes are shown as text. */
const VALUE_BYTES = 200_000;
const PICTURE_BYTES = 4 << 20;
/** Maximum number of files previewed per artifact. */
const SHOWN_FILES = 12;
const SHOWN_WORDS = 400;
/** Maximum number of circuits drawn per artifact. */
const SHOWN_CIRCUITS = 3;

const PICTURE_TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  svg: "image/svg+xml",
};

/**
 * The media type of a picture by its file name; undefined for other files. SVG must be shown in an `img`, where it
 * cannot run scripts.
 */
export function pictureType(name: string): string | undefined {
  const end = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return Object.hasOwn(PICTURE_TYPES, end) ? PICTURE_TYPES[end] : undefined;
}

/**
 * Previews of an artifact's files. Never throws because of the store's contents: damage is shown in place of the file.
 *
 * @param words the vocabulary that token ids of this artifact refer to.
 */
export async function previewArtifact(
  store: Store,
  artifact: Artifact,
  words?: readonly string[],
): Promise<FilePreview[]> {
  const circuits = circuitFolders(artifact);
  const inside = circuits.flatMap((folder) => [folder + STRUCTURE_FILE, folder + PARAMETERS_FILE]);
  const found: FilePreview[] = [];
  for (const folder of circuits.slice(0, SHOWN_CIRCUITS)) {
    const preview = await guarded(() => previewCircuit(store, artifact, folder));
    found.push({ file: folder + STRUCTURE_FILE, preview });
  }
  const rest = artifact.files.filter((file) => !inside.includes(file.name));
  for (const file of rest.slice(0, SHOWN_FILES)) {
    const previews = await guardedList(() => previewFile(store, artifact, file, words));
    found.push(...previews.map((preview) => ({ file: file.name, preview })));
  }
  return found;
}

/** Folders of an artifact that hold a circuit, with a trailing slash; empty for the artifact's root. */
function circuitFolders(artifact: Artifact): string[] {
  const names = new Set(artifact.files.map((file) => file.name));
  return [...names].filter((name) => name === STRUCTURE_FILE || name.endsWith(`/${STRUCTURE_FILE}`))
    .map((name) => name.slice(0, -STRUCTURE_FILE.length))
    .filter((folder) => names.has(folder + PARAMETERS_FILE));
}

async function guarded(make: () => Promise<Preview>): Promise<Preview> {
  return (await guardedList(async () => [await make()]))[0]!;
}

async function guardedList(make: () => Promise<Preview[]>): Promise<Preview[]> {
  try {
    return await make();
  } catch (error) {
    return [{ kind: "fault", message: messageOf(error) }];
  }
}

async function previewCircuit(store: Store, artifact: Artifact, folder: string): Promise<Preview> {
  const reader = artifactReader(store.blobs, artifact);
  const size = artifact.files.filter((file) => file.name.startsWith(folder)).reduce(
    (sum, file) => sum + file.size,
    0,
  );
  if (size > 16 * CHECKED_BYTES) return { kind: "opaque", why: "a circuit too large to be drawn" };
  return {
    kind: "circuit",
    ...await circuitPreview(
      await reader.text(folder + STRUCTURE_FILE),
      await reader.bytes(folder + PARAMETERS_FILE),
    ),
  };
}

async function previewFile(
  store: Store,
  artifact: Artifact,
  file: FileEntry,
  words: readonly string[] | undefined,
): Promise<Preview[]> {
  if (file.location !== undefined) return [{ kind: "opaque", why: "data outside the store" }];
  const end = file.name.slice(file.name.lastIndexOf(".") + 1).toLowerCase();
  const partial = file.size > CHECKED_BYTES;
  const picture = pictureType(file.name);
  if (picture !== undefined) {
    if (file.size > PICTURE_BYTES) return [{ kind: "opaque", why: "a picture too large to be shown here" }];
    return [{
      kind: "picture",
      url: dataUrl(picture, await artifactReader(store.blobs, artifact).bytes(file.name)),
    }];
  }
  const bytes = partial
    ? await beginning(store.blobs.path(file.digest))
    : await artifactReader(store.blobs, artifact).bytes(file.name);
  if (end === "json" && file.size <= VALUE_BYTES) {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as JsonValue;
    const tables = file.name === "value.json" ? shownTables(artifact, value) : undefined;
    return [{ kind: "value", value, ...(tables === undefined ? {} : { tables }) }];
  }
  if (end === "npy") {
    let head: NpyHead;
    try {
      head = npyHead(bytes);
    } catch {
      return [{ kind: "opaque", why: "an array of a kind that is not shown" }];
    }
    return [previewArray(file.name, bytes, head, words)];
  }
  if (end === "safetensors" && !partial) return previewTensors(bytes, words);
  return [textPreview(bytes, file.size)];
}

async function beginning(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(PARTIAL_BYTES);
  let held = 0;
  while (held < bytes.length) {
    const n = await file.read(bytes.subarray(held));
    if (n === null) break;
    held += n;
  }
  return bytes.subarray(0, held);
}

function previewArray(
  name: string,
  bytes: Uint8Array,
  head: NpyHead,
  words: readonly string[] | undefined,
): Preview {
  const numbers = npyNumbers(bytes, head);
  const layout = imageLayout(head.type, head.shape);
  const isTokens = words !== undefined && /^[iu]/.test(head.type);
  return {
    kind: "tensor",
    name,
    type: head.type,
    shape: head.shape,
    summary: summarise(numbers),
    partial: numbers.length < head.shape.reduce((product, n) => product * n, 1),
    ...(isTokens ? { words: wordsOf(numbers, head.shape, words) } : {}),
    ...(layout === undefined
      ? {}
      : { picture: dataUrl("image/png", encodePlainPng(contactSheet(numbers, layout))) }),
  };
}

/** Token ids as text; each row of a matrix is a line. */
function wordsOf(numbers: ArrayLike<number>, shape: readonly number[], words: readonly string[]): string {
  const width = shape.length === 2 && shape[1]! > 1 ? shape[1]! : Infinity;
  let text = "";
  for (let i = 0; i < Math.min(numbers.length, SHOWN_WORDS); i++) {
    const id = numbers[i]!;
    text += (i === 0 ? "" : i % width === 0 ? "\n" : " ") + (words[id] ?? `[${id}]`);
  }
  return text + (numbers.length > SHOWN_WORDS ? " …" : "");
}

function previewTensors(bytes: Uint8Array, words: readonly string[] | undefined): Preview[] {
  const { tensors } = decodeSafetensors(bytes);
  return [...tensors].slice(0, SHOWN_FILES).map(([name, { shape, values }]) => ({
    kind: "tensor",
    name,
    type: values.constructor.name.replace("Array", "").toLowerCase(),
    shape,
    summary: summarise(values as ArrayLike<number>),
    partial: false,
    ...(words !== undefined && name === "values" &&
        !(values instanceof Float32Array || values instanceof Float64Array)
      ? { words: wordsOf(values as ArrayLike<number>, shape, words) }
      : {}),
  }));
}

function textPreview(bytes: Uint8Array, size: number): Preview {
  const shown = bytes.subarray(0, SHOWN_TEXT * 4);
  const text = new TextDecoder("utf-8").decode(shown);
  // deno-lint-ignore no-control-regex -- control characters are what tells bytes from text
  if (/[\u0000-\u0008\u000e-\u001a]/.test(text) || (text.match(/\ufffd/g)?.length ?? 0) > 1) {
    return { kind: "opaque", why: "bytes of an unknown kind" };
  }
  return {
    kind: "text",
    text: text.slice(0, SHOWN_TEXT),
    cut: size > shown.length || text.length > SHOWN_TEXT,
  };
}

/** Encodes bytes as a data URL. */
export function dataUrl(type: string, bytes: Uint8Array<ArrayBuffer>): string {
  return `data:${type};base64,${bytes.toBase64()}`;
}

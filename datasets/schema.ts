import { z } from "zod";
import { badFileName } from "../foundation/file_names.ts";
import { InvalidDataSet } from "./errors.ts";
import { PACKAGE } from "./registries/name.ts";

/** One file of an edition. */
export interface DataFile {
  /** Its path inside the data set's folder: relative, POSIX. */
  readonly path: string;
  /** Its size in bytes. Absent only in an edition that is got by hand and whose sizes nobody has published. */
  readonly bytes?: number;
  /**
   * Its sha256 in hex. Absent only for a member of an archive that the entry's author never unpacked: it is
   * covered by the archive's digest, and fetching records its own; and where the size is.
   */
  readonly sha256?: string;
  /** URL for downloading it separately. */
  readonly url?: string;
  /** Mirrors, tried in order if `url` fails. */
  readonly mirrors?: readonly string[];
}

/** How an archive is packed. `gz` is one compressed file without a directory; a Python wheel is a `zip`. */
export type ArchiveFormat = "tar" | "tar.gz" | "tar.zst" | "gz" | "zip";

/** An archive that contains the files of an edition. */
export interface DataArchive {
  /** Its URL. */
  readonly url?: string;
  /** The package it is, instead of a URL: `npm:NAME@VERSION` or `pypi:NAME@VERSION`. */
  readonly package?: string;
  /** Mirrors, tried in order if `url` fails. */
  readonly mirrors?: readonly string[];
  /** Its packed size in bytes. */
  readonly bytes: number;
  /** The sha256 of the packed file, in hex. */
  readonly sha256: string;
  /** The archive's format. */
  readonly format: ArchiveFormat;
  /** `path` of each file of the edition -> its name in the archive (any text for `gz`). */
  readonly members: Readonly<Record<string, string>>;
}

/** One version of the data set's files. */
export interface Edition {
  /** Short name, unique in the data set: `official`, `debian`. */
  readonly name: string;
  /** How it differs from the other editions. */
  readonly note?: string;
  /** Every file of the edition. */
  readonly files: readonly DataFile[];
  /** The archive to fetch if the files cannot be downloaded separately. */
  readonly archive?: DataArchive;
  /** How people get the files where they may not be downloaded for them, in sentences; such an edition has no URLs. */
  readonly byHand?: string;
  /** True if it has not been verified that the URLs deliver exactly these bytes. */
  readonly unverified?: boolean;
}

/** A named data set: description, licence, and the exact bytes of each edition. */
export interface DataSet {
  /** The name that users type: lower case, digits, dashes. */
  readonly name: string;
  /** One-line description for lists. */
  readonly title: string;
  /** SPDX identifier, or `none stated; cite ...`. */
  readonly licence: string;
  /** Web page of the data set. */
  readonly homepage: string;
  /** The work to cite. */
  readonly citation: string;
  /** Its folder inside every data folder: relative, POSIX. */
  readonly folder: string;
  /** Absolute folders where operating system packages install it; searched last. */
  readonly systemFolders?: readonly string[];
  /** The editions, in order of preference. */
  readonly editions: readonly Edition[];
}

const text = z.string().trim().min(1);
const url = z.url({ protocol: /^https?$/ });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits");
const bytes = z.int().min(0);
const path = z.string().superRefine((value, context) => {
  const fault = badFileName(value);
  if (fault !== undefined) context.addIssue({ code: "custom", message: `unsafe path: ${fault}` });
});

const file = z.strictObject({
  path,
  bytes: bytes.optional(),
  sha256: sha256.optional(),
  url: url.optional(),
  mirrors: z.array(url).optional(),
});

const archive = z.strictObject({
  url: url.optional(),
  package: z.string().refine((text) => PACKAGE.test(text), "expected npm:NAME@VERSION or pypi:NAME@VERSION")
    .optional(),
  mirrors: z.array(url).optional(),
  bytes,
  sha256,
  format: z.enum(["tar", "tar.gz", "tar.zst", "gz", "zip"]),
  members: z.record(z.string(), text),
}).refine((value) => (value.url === undefined) !== (value.package === undefined), {
  message: "an archive has an address or is a package",
});

const edition = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, "expected lower-case letters, digits, dots, dashes"),
  note: text.optional(),
  files: z.array(file).min(1),
  archive: archive.optional(),
  byHand: text.optional(),
  unverified: z.boolean().optional(),
}).superRefine((value, context) => {
  const paths = value.files.map((one) => one.path);
  const complain = (message: string) => context.addIssue({ code: "custom", message });
  if (new Set(paths).size !== paths.length) complain("two files have the same path");
  if (value.byHand !== undefined) {
    const address = value.archive !== undefined || value.files.some((one) => one.url !== undefined);
    if (address) complain("it is got by hand, and has an address");
    return;
  }
  for (const one of value.files) if (one.bytes === undefined) complain(`${one.path} needs a size`);
  if (value.archive === undefined) {
    for (const one of value.files) {
      if (one.sha256 === undefined) complain(`${one.path} needs a sha256: no archive certifies it`);
    }
    return;
  }
  const members = Object.keys(value.archive.members);
  if (members.toSorted().join("\n") !== paths.toSorted().join("\n")) {
    complain("archive.members must name each file of the edition once");
  }
  if (new Set(Object.values(value.archive.members)).size !== members.length) {
    complain("two files come from the same member of the archive");
  }
  if (value.archive.format === "gz" && members.length !== 1) complain("a gz archive holds exactly one file");
});

const dataSet = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "expected lower-case letters, digits, dashes"),
  title: text,
  licence: text,
  homepage: url,
  citation: text,
  folder: path,
  systemFolders: z.array(z.string().startsWith("/")).optional(),
  editions: z.array(edition).min(1),
}).superRefine((value, context) => {
  const names = value.editions.map((one) => one.name);
  if (new Set(names).size !== names.length) {
    context.addIssue({ code: "custom", path: ["editions"], message: "two editions have the same name" });
  }
});

/**
 * Validates a data set's entry: safe paths, well-formed digests, every file covered by a digest.
 *
 * @returns the entry itself.
 * @throws InvalidDataSet naming each fault and where it is.
 */
export function defineDataSet(entry: DataSet): DataSet {
  const result = dataSet.safeParse(entry);
  if (result.success) return entry;
  throw new InvalidDataSet(
    "data/entry",
    `data set \`${String(entry?.name)}\` is not a valid entry:\n${z.prettifyError(result.error)}`,
    { hint: "See `DataSet` in datasets/schema.ts for what an entry holds." },
  );
}

/** Whether a file may be one of the edition's, by its size. */
export function hasSize(file: DataFile, bytes: number): boolean {
  return file.bytes === undefined || file.bytes === bytes;
}

/** Whether every file of the edition can be downloaded, separately or in an archive. */
export function isFetchable(edition: Edition): boolean {
  return edition.archive !== undefined || edition.files.every((one) => one.url !== undefined);
}

/** Total size in bytes of the edition's files, unpacked; undefined where the size of one is not known. */
export function editionBytes(edition: Edition): number | undefined {
  return edition.files.reduce<number | undefined>(
    (sum, { bytes }) => sum === undefined || bytes === undefined ? undefined : sum + bytes,
    0,
  );
}

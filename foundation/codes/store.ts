import type { CodeEntry } from "./entry.ts";

/** Codes of what the runner keeps: store, run records, artifacts. */
export type StoreCode =
  | "store/missing"
  | "store/unusable"
  | "store/version"
  | "store/damaged"
  | "store/read-only"
  | "store/in-use"
  | "records/damaged"
  | "records/unavailable"
  | "records/version"
  | "codec/declaration"
  | "artifact/value"
  | "artifact/unreadable"
  | "artifact/version"
  | "artifact/file-name"
  | "artifact/missing-file"
  | "shards/argument"
  | "data/located-file"
  | "data/changed";

/** What they mean. */
export const storeCodes: Readonly<Record<StoreCode, CodeEntry>> = {
  "store/missing": {
    means: "There is no store in this place.",
    example: "there is no store at /home/me/.retort/store",
    remedy: "Name one with `--store DIR`, or run a pipeline first.",
  },
  "store/unusable": {
    means: "The folder cannot be a store: it holds other things, or parts of the store cannot be used.",
    example: "/home/me is not a store and not empty (it holds notes.txt)",
    remedy: "Name a new or empty folder with `--store`, or repair what the message names.",
  },
  "store/version": {
    means: "The store, or results in it, were written by another version of Retort.",
    example: "the store at /data/store has format 3; this version of Retort reads 1",
    remedy: "Use the version that wrote it, or another `--store`.",
  },
  "store/damaged": {
    means: "Stored bytes are not what their digest says. They were set aside.",
    example: "object 0123456789ab of the store is damaged: it has other bytes",
    remedy: "Run the pipeline again: what is damaged is made again. Check the disk if it happens often.",
  },
  "store/read-only": {
    means: "The store cannot be written, and something would have to be computed.",
    example: "the store /data/store cannot be written, and 2 of 5 nodes have to run: train, score",
    remedy: "Make it writable or use another one; `--dry-run` tells why nodes would run.",
  },
  "store/in-use": {
    means: "Garbage collection needs the store alone, and a run is using it.",
    example: "a run is using this store",
    remedy: "Try again when the run has ended.",
  },
  "records/damaged": {
    means: "The run records are damaged. Results in the store are not concerned.",
    example: "the run records /data/store/records.sqlite are damaged: file is not a database",
    remedy: "Move the file away: results stay valid and are used; only the history of runs is lost.",
  },
  "records/unavailable": {
    means: "The run records cannot be opened or written, or another process holds them.",
    example: "the run records /data/store/records.sqlite cannot be opened: unable to open database file",
    remedy: "Check permissions and space; try again when other processes are done.",
  },
  "records/version": {
    means: "The run records have the schema of another version of Retort.",
    example: "/data/store/records.sqlite has schema version 9; this version of Retort knows 6",
    remedy: "Use the version that wrote it, or another `--store`.",
  },
  "codec/declaration": {
    means: "`defineCodec` got a name or a version that cannot be used.",
    example: "codec `model`: version must be a whole number from 1",
    remedy: "Name codecs by letters, digits, `.`, `_` and `-`; count versions from 1.",
  },
  "artifact/value": {
    means: "What a stage returned cannot be written by the codec of the output.",
    example: "output `model` is not a `json`: not plain JSON: it holds a function",
    remedy: "Return a value of the type that the codec declares.",
  },
  "artifact/unreadable": {
    means: "A codec cannot read an artifact that another stage wrote.",
    example: "input `model` cannot be read as `circuit`: unexpected end",
    remedy: "Raise the codec's `version` when its format changes, so that old artifacts are made again.",
  },
  "artifact/version": {
    means: "An artifact was written by another version of its codec.",
    example: "a circuit of version 2; this program reads 1",
    remedy: "Run the pipeline again with this version.",
  },
  "artifact/file-name": {
    means: "A file of an artifact has a name that cannot be used, or a name that another file has.",
    example: 'output `pages`: two files are named "a.txt"',
    remedy: "Use relative names of letters, digits, `.`, `_`, `-` and `/`, each once.",
  },
  "artifact/missing-file": {
    means: "An artifact has no file of this name, or its bytes are no longer in the store.",
    example: "a `files` artifact (0123456789ab) has no file b.txt",
    remedy: "Run the pipeline again; check the name of the file.",
  },
  "shards/argument": {
    means: "Rows, widths, element types or sizes given to shards or their writer make no sense.",
    example: "7 numbers are not whole rows of 2",
    remedy: "Append whole rows of the width and type that the shards were made for; ask for rows that exist.",
  },
  "data/located-file": {
    means:
      "A data file that a source names cannot be used: it is missing, unreadable or not the expected one.",
    example: "node `texts`: data file data/corpus.txt: No such file or directory (os error 2)",
    remedy: "Fetch the data again (`deno task data fetch NAME`), or point RETORT_DATA at the right folder.",
  },
  "data/changed": {
    means: "A data file outside the store changed while a run was using it.",
    example: "data file /data/corpus.txt changed while the run was going on",
    remedy: "Run again: the run then uses what is there now.",
  },
};

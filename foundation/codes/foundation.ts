import type { CodeEntry } from "./entry.ts";

/** Codes of the file system, which every room meets. */
export type FileCode =
  | "file/access"
  | "file/folder-gone"
  | "file/disk-full"
  | "file/system-folder"
  | "file/permission"
  | "file/no-files"
  | "file/shorter";

/** What they mean. */
export const fileCodes: Readonly<Record<FileCode, CodeEntry>> = {
  "file/access": {
    means: "A file or folder cannot be read or written.",
    example: "/data/store cannot be written: making it failed: Permission denied (os error 13)",
    remedy:
      "Change its permissions, or use another place: `--store DIR` for the store, RETORT_HOME for store and data.",
  },
  "file/folder-gone": {
    means: "The folder of a file that was being written was moved or removed meanwhile.",
    example:
      "/data/store/tmp/1 cannot be written: its folder is gone: No such file or directory (os error 2)",
    remedy: "Run the same command again; results that are still there are used.",
  },
  "file/disk-full": {
    means: "The disk is full or a quota is used up.",
    example: "the disk is full: writing /data/store/tmp/1 failed",
    remedy:
      "Free some space (`deno task gc` removes what no recent run needs), then run the same command again.",
  },
  "file/system-folder": {
    means: "Deno lets only programs with every permission into /dev, /proc and /sys.",
    example: "Deno opens /dev, /proc and /sys only to programs with all permissions: /dev/shm/store",
    remedy:
      "Name another folder. One in memory: `mount -t tmpfs tmpfs DIR`, or a folder in $XDG_RUNTIME_DIR.",
  },
  "file/permission": {
    means: "This process was started without a permission of Deno that the action needs.",
    example: "this process is not permitted: reading /etc/corpus.txt: Requires read access",
    remedy: "Use the tasks in deno.json, or grant the permission; docs/permissions.md says what each is for.",
  },
  "file/no-files": {
    means: "The runtime has no file system, as in a browser.",
    example: "there are no files here: node:fs/promises is missing",
    remedy:
      "Use the functions that take and give text and bytes: `encodeCircuit`, `decodeCircuit`, `parseCsv`.",
  },
  "file/shorter": {
    means: "A file was cut while it was read.",
    example: "/data/samples.safetensors became shorter while it was read",
    remedy: "Let nothing else write the file, and read it again.",
  },
};

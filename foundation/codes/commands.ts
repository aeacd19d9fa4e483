import type { CodeEntry } from "./entry.ts";

/** Codes of the rooms `cli` and `web`. */
export type CommandCode =
  | "command/usage"
  | "command/options"
  | "command/no-pipeline-file"
  | "command/folder-not-empty"
  | "command/file-there"
  | "command/unexpected"
  | "page/not-found"
  | "page/argument"
  | "page/not-given"
  | "page/limit"
  | "page/port-in-use"
  | "page/superseded"
  | "page/model-process";

/** What they mean. */
export const commandCodes: Readonly<Record<CommandCode, CodeEntry>> = {
  "command/usage": {
    means: "The command line is wrong: an unknown command or option, or a missing or unusable value.",
    example: "unknown option '--sett'",
    remedy: "`deno task COMMAND --help` lists arguments and options.",
  },
  "command/options": {
    means: "Options do not go together, or one needs another.",
    example: "--lock and --frozen exclude each other",
    remedy: "`deno task COMMAND --help` tells what goes with what.",
  },
  "command/no-pipeline-file": {
    means: "There is no pipeline file at this path.",
    example: "there is no pipeline file pipelines/quikstart.ts",
    remedy: "Check the path; the pipelines of this project are pipelines/*.ts.",
  },
  "command/folder-not-empty": {
    means: "A command writes into new or empty folders only.",
    example: "out is not empty",
    remedy: "Name a new folder.",
  },
  "command/file-there": {
    means: "A command would overwrite a file that may be your work.",
    example: "pipelines/rows.ts is there, with another text",
    remedy: "Move the file away, or give it another name.",
  },
  "command/unexpected": {
    means: "An error that nobody foresaw: most likely a fault of Retort or of a stage.",
    example: "x is not a function",
    remedy: "Run again with `--verbose` for the stack trace, and report it.",
  },
  "page/not-found": {
    means: "The dashboard has nothing at this address.",
    example: "artifact 0123456789ab has no file b.txt",
    remedy: "Go back to the list of runs; the run may have been removed.",
  },
  "page/argument": {
    means: "A part of an address of the dashboard is out of range.",
    example: "a comparison needs at least two runs",
    remedy: "Use the links of the page.",
  },
  "page/not-given": {
    means: "The dashboard does not send this file: it lies outside the store, or is too large for a browser.",
    example: "data outside the store is not served",
    remedy: "Use `deno task export`.",
  },
  "page/limit": {
    means:
      "A page of the dashboard asks for more than the server holds at once: streams, watches, bytes of a request.",
    example: "64 streams are open",
    remedy: "Close some pages.",
  },
  "page/port-in-use": {
    means: "Another program listens at the port.",
    example: "port 8710 is in use",
    remedy: "Name another port with `--port`, or none.",
  },
  "page/superseded": {
    means: "A question to a model was dropped: another one came after it, or the dashboard ended.",
    example: "another question came after this one",
    remedy: "Ask again.",
  },
  "page/model-process": {
    means: "The process that answers questions about models ended.",
    example: "the process that answers questions ended by SIGKILL",
    remedy: "The model may be too large for this machine's memory.",
  },
};

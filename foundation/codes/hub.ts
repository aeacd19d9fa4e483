import type { CodeEntry } from "./entry.ts";

/** Codes of publishing models on the Hugging Face Hub and getting them from there. */
export type HubCode =
  | "hub/name"
  | "hub/token"
  | "hub/no-model"
  | "hub/not-retort"
  | "hub/unreachable"
  | "hub/refused"
  | "hub/damaged";

/** What they mean. */
export const hubCodes: Readonly<Record<HubCode, CodeEntry>> = {
  "hub/name": {
    means: "This is no name of a repository on the Hugging Face Hub.",
    example: '"my model" is no repository of the Hub',
    remedy: "It is named OWNER/NAME, as in huggingface.co/OWNER/NAME.",
  },
  "hub/token": {
    means:
      "Publishing needs an access token, which may be missing, wrong or allowed too little; or the address of the hub is none.",
    example: "publishing needs an access token",
    remedy: "Make a token that may write at huggingface.co/settings/tokens and set HF_TOKEN to it.",
  },
  "hub/no-model": {
    means: "Only models are published.",
    example: "text.table:table is no model: it is a language-table",
    remedy: "Publish an output of the type circuit or patch-model; `deno task show RUN` lists them.",
  },
  "hub/not-retort": {
    means: "The repository on the Hub holds no model of Retort's.",
    example: "me/other holds no model of Retort's",
    remedy: "Name another repository: one that `deno task publish` wrote has a file artifact.json.",
  },
  "hub/unreachable": {
    means: "The Hub does not answer, or the connection broke.",
    example: "getting me/model: https://huggingface.co does not answer: connection refused",
    remedy: "Try again: the same command goes on where it stopped.",
  },
  "hub/refused": {
    means: "The Hub refuses what was asked: there is no such repository, or it is busy.",
    example: "getting me/model: the Hub answers 404: Repository not found",
    remedy: "Check the name and what HF_TOKEN may do; try again later.",
  },
  "hub/damaged": {
    means: "What came from the Hub has other bytes than were published.",
    example:
      "file circuit.json of me/model is not what was published: it has other bytes than its digest says",
    remedy: "Get it again, or another `--revision`. Nothing was written to the folder.",
  },
};

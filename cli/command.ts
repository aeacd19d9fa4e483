import type { Command } from "commander";

/** A command of `deno task`: one file in `cli/commands/`, one line in `cli/commands.ts`. */
export interface TaskCommand {
  /** The words that call it: `run`, `data fetch`. */
  readonly name: string;
  /** What it does, for `--help`. */
  readonly summary: string;
  /**
   * Deno's permission flags for its task. Commands with the same first word share a task, which gets the flags of
   * all.
   */
  readonly permissions: readonly string[];
  /** Silences Deno itself, for example the progress of its own downloads. */
  readonly quiet?: true;
  /**
   * Declares arguments, options and the action.
   *
   * @param all loads all commands, for one that is about them.
   */
  declare(command: Command, all: () => Promise<readonly TaskCommand[]>): unknown;
}

/** Declares a command. */
export function defineCommand(command: TaskCommand): TaskCommand {
  return command;
}

/** How the terminal looks, and where the store is: what every command over a store reads of the environment. */
const SETTINGS = "RETORT_STORE,RETORT_HOME,INIT_CWD,CI,TERM,NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE";

/** Flags of commands that read and write a store and start nothing. */
export const STORE_PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  `--allow-env=${SETTINGS}`,
];

/**
 * Flags of commands that talk to the Hugging Face Hub: its own hosts, those that it stores files on, and this machine, for a hub
 * of one's own.
 */
export const HUB_PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-net=huggingface.co,*.huggingface.co,*.hf.co,*.amazonaws.com,127.0.0.1",
  `--allow-env=${SETTINGS},HF_TOKEN,HF_ENDPOINT`,
];

/** What says who asks an S3 server, and which: the variables of Amazon's own programs. */
const S3_SETTINGS =
  "AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY,AWS_SESSION_TOKEN,AWS_PROFILE,AWS_REGION,AWS_DEFAULT_REGION," +
  "AWS_ENDPOINT_URL_S3,AWS_ENDPOINT_URL,AWS_SHARED_CREDENTIALS_FILE,AWS_CONFIG_FILE,HOME,USERPROFILE";

/** Flags of commands that talk to a store elsewhere. */
export const REMOTE_PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-net",
  `--allow-env=${SETTINGS},${S3_SETTINGS}`,
];

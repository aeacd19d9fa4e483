import { Option } from "commander";
import { hostOf, remoteAt } from "../runner/store/remote/open.ts";
import type { Remote } from "../runner/store/remote/remote.ts";
import { note } from "./output.ts";

const FLAGS = "--remote <url>";
const WHAT = "a store elsewhere: s3://BUCKET/FOLDER, or https://HOST/FOLDER for one that is only read";

/** `--remote`, of commands that can do without one. */
export const REMOTE = new Option(FLAGS, WHAT);

/** `--remote`, of commands that are about one. */
export const NEEDED_REMOTE = new Option(FLAGS, WHAT).makeOptionMandatory();

/** The remote that was named, for a session. */
export function chosenRemote(
  url: string | undefined,
): { remote?: Remote; onRemote?: (text: string) => void } {
  return url === undefined ? {} : { remote: remoteAt(url), onRemote: (text) => note(`remote  ${text}`) };
}

/** What a command that usually has no network needs for a remote. */
export function remotePermissions(url: string | undefined): string[] {
  return url === undefined ? [] : [`--allow-net=${hostOf(url)}`];
}

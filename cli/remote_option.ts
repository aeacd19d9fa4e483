import { Option } from "commander";
import type { Remote } from "../runner/store/remote/remote.ts";
import { note } from "./output.ts";

const FLAGS = "--remote <url>";
const WHAT = "a store elsewhere: s3://BUCKET/FOLDER, or https://HOST/FOLDER for one that is only read";

/** `--remote`, of commands that can do without one. */
export const REMOTE = new Option(FLAGS, WHAT);

/** `--remote`, of commands that are about one. */
export const NEEDED_REMOTE = new Option(FLAGS, WHAT).makeOptionMandatory();

/** The remote that was named, for a session, and what a command that usually has no network needs for it. */
export async function chosenRemote(url: string | undefined): Promise<{
  readonly session: { readonly remote?: Remote; readonly onRemote?: (text: string) => void };
  readonly permissions: readonly string[];
}> {
  if (url === undefined) return { session: {}, permissions: [] };
  const { hostOf, remoteAt } = await import("../runner/store/remote/open.ts");
  return {
    session: { remote: remoteAt(url), onRemote: (text) => note(`remote  ${text}`) },
    permissions: [`--allow-net=${hostOf(url)}`],
  };
}

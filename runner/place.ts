import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CallError,
  codeOf,
  type ErrorCode,
  exitCodeOf,
  hintOf,
  messageOf,
  RetortError,
} from "../foundation/errors.ts";

/** Folders whose code only passes on what others do: the place that helps lies outside. */
const OWN = ["../runner/", "../foundation/"].map((folder) => new URL(folder, import.meta.url).href);

/**
 * Where something was thrown, as `file:line:column`: the first place that is not the runner's own or a package's, and
 * after it the one in `file` where that is another. Undefined when the stack names none.
 */
export function thrownAt(error: unknown, file: URL): string | undefined {
  let stack: unknown;
  try {
    stack = (error as { stack?: unknown } | null | undefined)?.stack;
  } catch {
    return undefined;
  }
  if (typeof stack !== "string") return undefined;
  const places = [...stack.matchAll(/(file:\/\/[^\s()]+?):(\d+):(\d+)/g)]
    .map(([, url, line, column]) => ({ url: url!, at: `${pathText(url!)}:${line}:${column}` }))
    .filter(({ url }) => !OWN.some((own) => url.startsWith(own)) && !url.includes("/npm/"));
  const [first] = places;
  const inFile = places.find(({ url }) => url.split(/[?#]/)[0] === file.href);
  if (first === undefined) return undefined;
  return inFile === undefined || inFile === first ? first.at : `${first.at}, called at ${inFile.at}`;
}

/** A path for people: relative to the working folder where it lies in it. */
function pathText(url: string): string {
  const path = fileURLToPath(url.split(/[?#]/)[0]!);
  const inside = relative(Deno.cwd(), path);
  return inside.startsWith("..") ? path : inside;
}

/**
 * What user code in `file` threw, as the wrong call that it is: with `what` before its message and its place after. `code` is for
 * errors that have none.
 */
export function callFault(code: ErrorCode, what: string, error: unknown, file: URL): RetortError {
  const message = messageOf(error);
  const place = thrownAt(error, file);
  // Errors of imports and of syntax name the place themselves.
  const at = place === undefined || /file:\/\/\S+:\d+:\d+/.test(message) ? "" : `\n  at ${place}`;
  const kind = exitCodeOf(error) === 1 ? RetortError : CallError;
  return new kind(codeOf(error) ?? code, `${what}${message}${at}`, { hint: hintOf(error), cause: error });
}

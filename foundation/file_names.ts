import { RetortError } from "./errors.ts";

/**
 * Files that are named by what they show: `name` is letters, digits, `-` and `_`, the file gets `ending`.
 * @param what what is named, for messages: `picture`
 * @throws RetortError for a name that is no such name, or stands for two
 */
export function shownFiles(names: readonly string[], ending: string, what: string): string[] {
  const files = names.map((name) => {
    const file = `${name}.${ending}`, fault = badFileName(file);
    if (fault !== undefined || !/^[\w-]+$/.test(name)) {
      throw new RetortError(
        "artifact/file-name",
        `${JSON.stringify(name)} cannot name a ${what}${fault ? `: ${fault}` : ""}`,
      );
    }
    return file;
  });
  if (new Set(files).size !== files.length) {
    throw new RetortError("artifact/file-name", `two ${what}s have the same name`);
  }
  return files;
}

/** Devices of Windows: with any ending, and in any case, such a name is not a file there. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)/i;

/**
 * Why a name may not stand for a file inside a folder, an artifact or an archive, or undefined when it may.
 * Only relative POSIX paths of plain segments pass that every system can have: what is refused could leave the
 * folder, be another file or none at all, on this system or on another.
 */
export function badFileName(name: string): string | undefined {
  const unsafe = unsafeFileName(name);
  if (unsafe !== undefined) return unsafe;
  if (!name.isWellFormed()) return "it has half of a surrogate pair";
  const special = /[<>"|?*]/.exec(name)?.[0];
  if (special !== undefined) return `Windows has no names with ${special}`;
  for (const segment of name.split("/")) {
    if (DEVICE.test(segment)) return `\`${segment}\` is a device on Windows`;
    if (/[. ]$/.test(segment)) return "Windows has no names that end in a dot or a space";
  }
  return undefined;
}

/**
 * Why a name that is written somewhere already must not be used as a path inside a folder, or undefined when it may:
 * it could leave the folder.
 */
export function unsafeFileName(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name.length > 400) return "it is longer than 400 characters";
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return "it has a control character";
  if (name.includes("\\")) return "it has a backslash";
  if (name.startsWith("/")) return "it is absolute";
  // `C:x` is absolute on Windows and `file:stream` is a second file in one name.
  if (name.includes(":")) return "it has a colon";
  for (const segment of name.split("/")) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has a \`${segment}\` segment`;
    if (new TextEncoder().encode(segment).length > 255) return "it has a segment of more than 255 bytes";
  }
  return undefined;
}

/** The order of names in which digits count as numbers, `part_2` before `part_10`; all else is in the order of code units. */
export function inNumberOrder(a: string, b: string): number {
  const partsOf = (name: string): string[] => name.match(/\d+|\D+/g) ?? [];
  const x = partsOf(a), y = partsOf(b);
  const at = x.findIndex((part, i) => part !== y[i]);
  if (at < 0) return x.length - y.length;
  const [p, q] = [x[at]!, y[at] ?? ""];
  const difference = /^\d/.test(p) && /^\d/.test(q) ? BigInt(p) - BigInt(q) : 0n;
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return x.slice(at).join("") < y.slice(at).join("") ? -1 : 1;
}

/**
 * Why `path` may not name a file inside a folder, or undefined when it may. Only relative POSIX paths
 * of plain segments pass: what is refused could leave the folder, on this system or on another.
 */
export function unsafePath(path: string): string | undefined {
  if (path === "") return "it is empty";
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path)) return "it has a control character";
  if (path.includes("\\")) return "it has a backslash";
  if (path.startsWith("/")) return "it is absolute";
  // `C:x` is absolute on Windows and `file:stream` is a second file in one name.
  if (path.includes(":")) return "it has a colon";
  for (const segment of path.split("/")) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has a \`${segment}\` segment`;
    if (new TextEncoder().encode(segment).length > 255) return "it has a segment of more than 255 bytes";
  }
  return undefined;
}

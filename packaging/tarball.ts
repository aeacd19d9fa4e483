import { gzipSync } from "node:zlib";
import { packTar, type TarEntry } from "modern-tar";
import type { PackageFiles } from "./files.ts";

/** The files of a package as npm takes them, and their bytes unpacked. The same files make the same tarball: times and owners say nothing. */
export async function tarballOf(
  { files }: PackageFiles,
): Promise<{ readonly tarball: Uint8Array<ArrayBuffer>; readonly unpacked: number }> {
  const tar = await packTar(
    [...files].sort(([a], [b]) => a < b ? -1 : 1).map(([path, body]): TarEntry => ({
      header: {
        name: `package/${path}`,
        size: body.length,
        mode: path.startsWith("bin/") ? 0o755 : 0o644,
        mtime: new Date(0),
      },
      body,
    })),
  );
  return { tarball: new Uint8Array(gzipSync(tar)), unpacked: tar.length };
}

import { dirname } from "node:path";
import { CallError } from "../../foundation/errors.ts";
import { fileFault } from "../../foundation/faults.ts";

/** @throws CallError when there cannot be a folder of that name, whoever makes it. */
export function refuseUnusable(root: string): void {
  for (let path = root;; path = dirname(path)) {
    let found: Deno.FileInfo;
    try {
      found = Deno.lstatSync(path);
    } catch (error) {
      if (dirname(path) === path) return;
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) continue;
      throw fileFault(error, "opening", root);
    }
    const hint = "Name a folder with --store DIR; it is made where it is missing.";
    if (found.isSymlink) {
      try {
        found = Deno.statSync(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw fileFault(error, "opening", root);
        throw new CallError(
          "store/unusable",
          `the store cannot be at ${root}: ${path} is a broken link`,
          { hint },
        );
      }
    }
    if (found.isDirectory) return;
    throw new CallError(
      "store/unusable",
      `the store cannot be at ${root}: ${path === root ? "it" : path} is a file, not a folder`,
      { hint },
    );
  }
}

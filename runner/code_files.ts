import { pathToFileURL } from "node:url";
import type { Packages } from "./packages.ts";

/** Options of esbuild: ignores files beside the code (such as `tsconfig.json`); lowers syntax that the parser does not support. */
export const CODE_OPTIONS: {
  readonly charset: "utf8";
  readonly legalComments: "none";
  readonly supported: Record<string, boolean>;
  readonly logLevel: "silent";
  readonly target: "esnext";
  readonly tsconfigRaw: "{}";
} = {
  charset: "utf8",
  legalComments: "none",
  supported: { decorators: false },
  logLevel: "silent",
  target: "esnext",
  tsconfigRaw: "{}",
};

/**
 * What a module imports by a specifier: a file's URL, or the specifier of a package.
 *
 * @param importer path of the module.
 */
export function targetOf(specifier: string, importer: string, packages: Packages): string {
  const from = pathToFileURL(importer);
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, from).href;
  return packages.resolve(specifier, from.href) ??
    (URL.canParse(specifier) ? specifier : import.meta.resolve(specifier));
}

/** What esbuild takes a file of code for. */
export type CodeLoader = "ts" | "tsx" | "js" | "jsx" | "json";

/** How esbuild reads a file of code. */
export function loaderOf(path: string): CodeLoader {
  const extension = /\.([cm]?[jt]sx?|json)$/.exec(path)?.[1];
  return (extension?.replace(/^[cm]/, "") ?? "js") as CodeLoader;
}

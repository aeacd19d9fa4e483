import { readFileSync } from "node:fs";

/** The name under which Retort is imported from npm. It stands here and in deno.json; a test compares them. */
export const PACKAGE_NAME = "@retort/retort";

/** The version of Retort. */
export const VERSION = "0.2.0";

/** The folder of Retort's own modules: a clone of its repository, or the package as npm has it. */
export const OWN_ROOT: URL = new URL("../", import.meta.url);

/** Whether these modules are those of the npm package, which holds JavaScript, and not the sources. */
export const isPacked: boolean = import.meta.url.endsWith(".js");

/** Where the modules lie that make Retort; a clone holds pipelines and tests besides. */
const ROOMS =
  /^(?:mod\.|(?:foundation|circuits|kernels|datasets|teachers|control|stages|runner|browser|web|cli)\/)/;

/** Whether a module, by its URL, is one of Retort's own. */
export function isOwn(url: string): boolean {
  return url.startsWith(OWN_ROOT.href) && ROOMS.test(ownPath(url));
}

/** The path of one of Retort's own modules in its folder. */
export function ownPath(url: string): string {
  return url.slice(OWN_ROOT.href.length);
}

/** What Retort's own manifest says: `package.json` in the npm package, `deno.json` in a clone. */
interface OwnManifest {
  /** What bare imports of Retort's modules mean, as `npm:` specifiers or paths in its folder. */
  readonly imports: Readonly<Record<string, string>>;
  /** Paths of the modules that others import, by sub-path. */
  readonly exports: Readonly<Record<string, string>>;
}

let manifest: OwnManifest | undefined;

/** Retort's own manifest, whichever form it has. */
export function ownManifest(): OwnManifest {
  if (manifest !== undefined) return manifest;
  const read = (name: string) => JSON.parse(readFileSync(new URL(name, OWN_ROOT), "utf8"));
  if (!isPacked) {
    const { imports, exports } = read("deno.json");
    return manifest = { imports, exports };
  }
  const { dependencies, optionalDependencies, peerDependencies, exports } = read("package.json") as Record<
    "dependencies" | "optionalDependencies" | "peerDependencies" | "exports",
    Record<string, string | { default: string }>
  >;
  return manifest = {
    imports: Object.fromEntries(
      Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies }).map((
        [name, version],
      ) => [name, `npm:${name}@${version}`]),
    ),
    exports: Object.fromEntries(
      Object.entries(exports).map(([name, target]) => [
        name,
        typeof target === "string" ? target : target.default,
      ]),
    ),
  };
}

/**
 * The module that an import of Retort means: `npm:@retort/retort@0.2.0/circuits`. Undefined where it is an import of something
 * else; null where Retort has no such export.
 */
export function ownExport(
  specifier: string,
): { readonly version?: string; readonly module: URL | null } | undefined {
  const escaped = PACKAGE_NAME.replaceAll(/[/.]/g, "\\$&");
  const match = new RegExp(`^(?:npm:|jsr:)/?${escaped}(?:@([^/]+))?(?:/(.+))?$`).exec(specifier);
  if (match === null) return undefined;
  const [, version, path] = match;
  const target = ownManifest().exports[path === undefined ? "." : `./${path}`];
  return {
    ...(version !== undefined && { version }),
    module: target === undefined ? null : new URL(target, OWN_ROOT),
  };
}

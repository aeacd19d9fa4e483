import { byCodeUnit, type Digest, digestJson, type JsonObject } from "../foundation/canonical.ts";
import { CallError, messageOf } from "../foundation/errors.ts";

interface LockedPackage {
  integrity?: string;
  dependencies?: string[];
  optionalDependencies?: string[];
  optionalPeers?: string[];
}

/** What `deno.lock` and `deno.json` say: which versions are locked and what bare imports mean. */
export class Packages {
  readonly #specifiers: Record<string, string>;
  readonly #npm: Record<string, LockedPackage>;
  readonly #imports: Record<string, string>;
  /** sha256 over both files' contents: as long as it stays, all answers stay. */
  readonly digest: Digest;

  private constructor(config: JsonObject, lock: JsonObject, readonly base: URL) {
    this.#imports = (config.imports ?? {}) as Record<string, string>;
    this.#specifiers = (lock.specifiers ?? {}) as Record<string, string>;
    this.#npm = (lock.npm ?? {}) as unknown as Record<string, LockedPackage>;
    this.digest = digestJson({ imports: this.#imports, specifiers: this.#specifiers, npm: lock.npm ?? {} });
  }

  /**
   * Reads `deno.json` and `deno.lock` beside it.
   *
   * @throws CallError when one of them is missing or no JSON.
   */
  static load(config: URL): Packages {
    const read = (url: URL): JsonObject => {
      try {
        return JSON.parse(Deno.readTextFileSync(url));
      } catch (error) {
        throw new CallError("stage/packages", `cannot read ${url.pathname}: ${messageOf(error)}`, {
          hint: "Keys name npm packages by version and integrity: deno.json and deno.lock must be there.",
        });
      }
    };
    return new Packages(read(config), read(new URL("deno.lock", config)), new URL(".", config));
  }

  /**
   * What a bare specifier means by the import map: an `npm:`, `node:` or other URL, or a file URL.
   * Undefined when the map does not know it.
   */
  resolve(specifier: string): string | undefined {
    const map = this.#imports;
    const exact = Object.hasOwn(map, specifier) ? map[specifier] : undefined;
    if (exact !== undefined) return this.#absolute(exact);
    const prefix = Object.keys(map).filter((key) => key.endsWith("/") && specifier.startsWith(key))
      .sort((a, b) => b.length - a.length)[0];
    if (prefix !== undefined) return this.#absolute(map[prefix]! + specifier.slice(prefix.length));
    // "name/sub/path" of a mapped npm package means a path inside that package.
    const name = Object.keys(map).find((key) =>
      specifier.startsWith(`${key}/`) && map[key]!.startsWith("npm:")
    );
    return name === undefined ? undefined : map[name]! + specifier.slice(name.length);
  }

  #absolute(target: string): string {
    return target.startsWith(".") || target.startsWith("/") ? new URL(target, this.base).href : target;
  }

  /** Locked versions of the npm packages that the import map names. */
  versions(): Record<string, string> {
    const npm = Object.values(this.#imports).filter((target) => target.startsWith("npm:"));
    const locked = npm.map((target) => this.locked(target)).map((
      [name, version],
    ) => [name, version.split(" ")[0]!]);
    return Object.fromEntries(locked.sort(([a], [b]) => byCodeUnit(a!, b!)));
  }

  /**
   * The locked version of an `npm:` specifier with a digest over its integrity and that of all that
   * it depends on: `["zod", "4.6.7 3f2a…"]`.
   */
  locked(specifier: string): [name: string, version: string] {
    const [, name, range] = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@([^/]+))?/.exec(specifier) ?? [];
    if (name === undefined) {
      throw new CallError("stage/packages", `cannot read the npm specifier ${specifier}`);
    }
    const asked = range === undefined ? `npm:${name}` : `npm:${name}@${range}`;
    const found = this.#specifiers[asked] ??
      Object.entries(this.#specifiers).find(([key]) => key.startsWith(`npm:${name}@`))?.[1];
    if (found === undefined) return [name, `${range ?? "*"} unlocked`];
    const closure: Record<string, string> = {};
    const stack = [`${name}@${found}`];
    while (stack.length > 0) {
      const id = stack.pop()!;
      if (Object.hasOwn(closure, id)) continue;
      const entry = this.#npm[id];
      closure[id] = entry?.integrity ?? "";
      for (const dependency of [...entry?.dependencies ?? [], ...entry?.optionalDependencies ?? []]) {
        const next = this.#dependencyId(dependency);
        if (next !== undefined) stack.push(next);
      }
    }
    return [name, `${found.split("_")[0]} ${digestJson(closure).slice(0, 16)}`];
  }

  /** The lock file names a dependency by name alone where only one version of it is locked. */
  #dependencyId(dependency: string): string | undefined {
    if (Object.hasOwn(this.#npm, dependency)) return dependency;
    return Object.keys(this.#npm).filter((id) => id.startsWith(`${dependency}@`)).sort(byCodeUnit)[0];
  }
}

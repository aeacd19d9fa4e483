/** An import map, with all relative targets made absolute. */
export interface ImportMap {
  readonly imports: Readonly<Record<string, string>>;
  readonly scopes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * An import map whose paths are relative to a file.
 *
 * @param base URL of the file that holds it.
 */
export function importMapOf(
  { imports = {}, scopes = {} }: Partial<ImportMap>,
  base: URL,
): ImportMap {
  const absolute = (target: string) =>
    target.startsWith(".") || target.startsWith("/") ? new URL(target, base).href : target;
  const each = (map: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(map).map(([name, target]) => [name, absolute(target)]));
  return {
    imports: each(imports),
    scopes: Object.fromEntries(Object.entries(scopes).map(([scope, map]) => [absolute(scope), each(map)])),
  };
}

/**
 * What a specifier means by an import map: an `npm:`, `node:`, file or other URL. Undefined when the map does not know it.
 *
 * @param importer URL of the module that imports.
 */
export function mapped(map: ImportMap, specifier: string, importer: string): string | undefined {
  const scopes = Object.keys(map.scopes).filter((scope) =>
    scope.endsWith("/") ? importer.startsWith(scope) : importer === scope
  ).sort((a, b) => b.length - a.length);
  for (const names of [...scopes.map((scope) => map.scopes[scope]!), map.imports]) {
    const target = targetOf(names, specifier);
    if (target !== undefined) return target;
  }
  return undefined;
}

function targetOf(names: Readonly<Record<string, string>>, specifier: string): string | undefined {
  if (Object.hasOwn(names, specifier)) return names[specifier];
  const prefix = Object.keys(names).filter((key) => key.endsWith("/") && specifier.startsWith(key))
    .sort((a, b) => b.length - a.length)[0];
  if (prefix !== undefined) return names[prefix]! + specifier.slice(prefix.length);
  // "name/sub/path" of a mapped package means a path inside that package.
  const name = Object.keys(names).find((key) =>
    specifier.startsWith(`${key}/`) && /^(?:npm|jsr):/.test(names[key]!)
  );
  return name === undefined ? undefined : names[name]! + specifier.slice(name.length);
}

import { fileURLToPath, pathToFileURL } from "node:url";
import type { AnyNode } from "acorn";
import type * as esbuild from "esbuild";
import { digestBytes } from "../foundation/canonical.ts";
import { getOrMake } from "../foundation/newer.ts";
import { isOwn } from "../foundation/own_package.ts";
import { CODE_OPTIONS, loaderOf, targetOf } from "./code_files.ts";
import type { Packages } from "./packages.ts";

/** Most bytes of the files of one module. */
const MOST = 64 << 20;

/** What a module's text names beside it. */
export interface NamedFiles {
  /** Imported modules, with the type that an import says. */
  readonly imports: { readonly specifier: string; readonly type?: string }[];
  /** Files by URLs relative to the module. */
  readonly urls: string[];
  /** Whether it may find files in a way that cannot be seen. */
  looksAround: boolean;
}

/** What modules name, by their bytes and path; undefined for those that cannot be parsed. */
export type KnownNames = Map<string, Promise<NamedFiles | undefined>>;

/**
 * The local files with which a module runs at another place: those that it imports at any depth, and those that it names by
 * `new URL("…", import.meta.url)`. Modules of Retort's own are left out, and packages.
 *
 * @param service of esbuild.
 * @param module path of a module that is not Retort's own.
 * @param more paths of files besides.
 * @param known looked into first, and added to.
 * @returns bytes by path; undefined where it cannot be told which they are: something computes what it imports or where its files lie, or is
 * no file, or imports Retort by path; and where there are more than 64 MiB of them.
 */
export async function moduleFiles(
  service: Pick<typeof esbuild, "transform">,
  module: string,
  more: readonly string[],
  packages: Packages,
  known: KnownNames,
): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const queue = [{ path: module, isCode: true }, ...more.map((path) => ({ path, isCode: false }))];
  let size = 0;
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { path, isCode } = next;
    if (files.has(path)) continue;
    const bytes = readFile(path);
    if (bytes === undefined || (size += bytes.length) > MOST) return undefined;
    files.set(path, bytes);
    if (!isCode) continue;
    const id = `${digestBytes(bytes)} ${path}`;
    const named = await getOrMake(known, id, () => namedIn(service, path, bytes));
    if (named === undefined || named.looksAround) return undefined;
    for (const { specifier, type } of named.imports) {
      const target = targetOf(specifier, path, packages);
      if (!target.startsWith("file:")) continue;
      if (isOwn(target)) {
        if (/^\.{0,2}\//.test(specifier)) return undefined;
      } else queue.push({ path: fileURLToPath(target), isCode: type === undefined && isModule(target) });
    }
    for (const url of named.urls) {
      const target = new URL(url, pathToFileURL(path));
      if (target.protocol !== "file:" || isOwn(target.href)) continue;
      queue.push({ path: fileURLToPath(target), isCode: isModule(target.href) });
    }
  }
  return files;
}

function isModule(url: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(url);
}

function readFile(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile && size <= MOST ? Deno.readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** What a module names; undefined where it cannot be parsed. */
async function namedIn(
  service: Pick<typeof esbuild, "transform">,
  path: string,
  bytes: Uint8Array,
): Promise<NamedFiles | undefined> {
  const named: NamedFiles = { imports: [], urls: [], looksAround: false };
  try {
    const { code } = await service.transform(bytes, {
      ...CODE_OPTIONS,
      // The runtime loads what is imported for types alone, where that is not said.
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      loader: loaderOf(path),
      sourcefile: path,
    });
    const { parse } = await import("acorn");
    look(parse(code, { ecmaVersion: "latest", sourceType: "module" }), named);
  } catch {
    return undefined;
  }
  return named;
}

function look(node: AnyNode, named: NamedFiles): void {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration": {
      const { source } = node;
      if (!source) break;
      const type = node.attributes.find(({ key }) =>
        (key.type === "Identifier" ? key.name : key.value) === "type"
      );
      named.imports.push({
        specifier: String(source.value),
        ...(type === undefined ? {} : { type: String(type.value.value) }),
      });
      return;
    }
    case "ImportExpression": {
      const specifier = textOf(node.source);
      if (specifier === undefined) named.looksAround = true;
      else named.imports.push({ specifier, ...(node.options ? { type: "?" } : {}) });
      return;
    }
    case "NewExpression": {
      const [url, base] = node.arguments;
      if (node.callee.type !== "Identifier" || node.callee.name !== "URL" || !isMeta(base, "url")) break;
      const text = textOf(url);
      if (text === undefined) named.looksAround = true;
      else named.urls.push(text);
      return;
    }
    case "MemberExpression":
      if (isMeta(node, "main")) return;
      break;
    case "MetaProperty":
      if (node.meta.name === "import") named.looksAround = true;
      return;
  }
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one?.type === "string") look(one, named);
    }
  }
}

/** Whether an expression is `import.meta.NAME`. */
function isMeta(node: AnyNode | undefined, name: string): boolean {
  return node?.type === "MemberExpression" && !node.computed && node.object.type === "MetaProperty" &&
    node.object.meta.name === "import" && node.property.type === "Identifier" && node.property.name === name;
}

function textOf(node: AnyNode | undefined): string | undefined {
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

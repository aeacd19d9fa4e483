import { basename, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as esbuild from "esbuild";
import { type Digest, digestBytes, digestJson } from "../foundation/canonical.ts";
import { messageOf } from "../foundation/errors.ts";
import { isOwn, ownPath } from "../foundation/own_package.ts";
import type { Packages } from "./packages.ts";
import { syntaxText } from "./syntax.ts";

/** The code of one export of a module, in a form independent of comments and formatting. */
export interface Bundle {
  /** sha256 of the code. */
  readonly digest: Digest;
  /** Digest of what each local module contributes, by path relative to the folder of the export's module. */
  readonly modules: Readonly<Record<string, Digest>>;
  /** The `npm:` specifiers that the code imports, sorted. */
  readonly packages: readonly string[];
  /** Paths of all local files that were read. */
  readonly files: readonly string[];
}

/** Identifies the bundler, the parser and the rules in this file, since others would produce different text. */
export const METHOD = "esbuild-0.28.2 acorn-8.19.0/2";

/** The modules that declare stages and pipelines belong to the runner and are covered by the format of keys. */
const DECLARING: ReadonlyMap<string, string> = new Map([
  [new URL("./stage.ts", import.meta.url).href, "retort:stage"],
  [new URL("./pipeline.ts", import.meta.url).href, "retort:pipeline"],
]);

/**
 * Ignores files beside the code (such as `tsconfig.json`) and comments in it; lowers syntax that the parser does
 * not support.
 */
const COMMON = {
  charset: "utf8",
  ignoreAnnotations: true,
  legalComments: "none",
  supported: { decorators: false },
  logLevel: "silent",
  target: "esnext",
  tsconfigRaw: "{}",
} as const satisfies esbuild.CommonOptions;

/** Bundles exports of modules; one bundler service for all, started when the first is needed. */
export class Bundler implements AsyncDisposable {
  readonly #packages: Packages;
  /** Prefix of module names in bundles; random, so that no module's text can contain it. */
  readonly #mark = `retort-${crypto.randomUUID()}`;
  /** Syntax trees by code: stages share most of their modules. */
  readonly #trees = new Map<string, string>();
  #service: typeof esbuild | undefined;

  constructor(packages: Packages) {
    this.#packages = packages;
  }

  /**
   * The tree-shaken code of an export with everything it uses from local modules, at any depth.
   *
   * @param module file URL.
   * @throws Error when something cannot be read, parsed or resolved.
   */
  async bundle(module: string, exported: string): Promise<Bundle> {
    this.#service ??= await import("esbuild");
    const folder = fileURLToPath(new URL(".", module));
    const mark = this.#mark;
    const files = new Set<string>();
    const entry = JSON.stringify(`./${encodeURIComponent(basename(fileURLToPath(module)))}`);
    const built = await this.#service.build({
      ...COMMON,
      stdin: {
        contents: `export { ${JSON.stringify(exported)} as stage } from ${entry};`,
        resolveDir: folder,
        sourcefile: `${mark}:`,
      },
      absWorkingDir: folder,
      bundle: true,
      write: false,
      metafile: true,
      treeShaking: true,
      format: "esm",
      platform: "neutral",
      plugins: [plugin({ mark, folder, files, packages: this.#packages })],
    }).catch((error) => {
      throw new Error(messageOf(error).replaceAll(`${mark}:`, ""));
    });
    const parts = await this.#parts(built.outputFiles[0]!.text);
    const modules: Record<string, string[]> = {};
    for (const { module, text } of parts) if (module !== "") (modules[module] ??= []).push(text);
    const { imports } = Object.values(built.metafile.outputs)[0]!;
    return {
      digest: digestJson([METHOD, parts.map((part) => part.text).join("\n")]),
      modules: Object.fromEntries(
        Object.entries(modules).map(([path, texts]) => [decodeURI(path), digestBytes(texts.join("\n"))]),
      ),
      packages: [...new Set(imports.map(({ path }) => path))].filter((path) => path.startsWith("npm:"))
        .sort(),
      files: [...files],
    };
  }

  /** Stops the bundler service, if it was started. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
  }

  /**
   * What each module contributes to a bundle, in order. esbuild writes `// namespace:path` before each module's
   * part; what precedes the first is its own. The export stands at the end.
   */
  async #parts(bundle: string): Promise<{ module: string; text: string }[]> {
    const end = bundle.lastIndexOf("\nexport {");
    // The bundler also derives names from paths; remove them, so that a module's location does not matter.
    const code = bundle.slice(0, end).replaceAll(new RegExp(`"${this.#mark}:[^"]*"`, "g"), '""');
    const [own, ...rest] = code.split(`// ${this.#mark}:`);
    const parts = [{ module: "", text: await this.#treeOf(own!) }];
    for (const part of rest) {
      const head = part.indexOf("\n");
      parts.push({ module: part.slice(0, head).trim(), text: await this.#treeOf(part.slice(head + 1)) });
    }
    return [...parts, { module: "", text: bundle.slice(end).replaceAll(/\s+/g, " ") }];
  }

  /** The syntax tree of a part as text; the part itself if the parser does not support its syntax. */
  async #treeOf(code: string): Promise<string> {
    let text = this.#trees.get(code);
    if (text !== undefined) return text;
    try {
      text = await syntaxText(code);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      text = code;
    }
    this.#trees.set(code, text);
    return text;
  }
}

/** Resolves as the runtime does: the import map for bare names, packages and built-ins left outside. */
function plugin(
  { mark, folder, files, packages }: { mark: string; folder: string; files: Set<string>; packages: Packages },
): esbuild.Plugin {
  const bare = new Map<string, Set<string>>();
  const ownStage = isOwn(pathToFileURL(`${folder}/`).href);
  return {
    name: "retort",
    setup(build) {
      build.onResolve({ filter: /.*/ }, (args) => {
        if (args.kind === "entry-point") return undefined;
        const importer: string = args.pluginData?.path ?? `${folder}/-`;
        const from = pathToFileURL(importer);
        const target = /^\.{0,2}\//.test(args.path)
          ? new URL(args.path, from).href
          : packages.resolve(args.path, from.href) ??
            (URL.canParse(args.path) ? args.path : import.meta.resolve(args.path));
        const declaring = DECLARING.get(target);
        if (declaring !== undefined) return { path: declaring, external: true, sideEffects: false };
        if (target.startsWith("file:")) {
          const path = fileURLToPath(target);
          const own = isOwn(target);
          return {
            // For stages of others, Retort's modules have the same names wherever it lies.
            path: encodeURI(own && !ownStage ? `retort:${ownPath(target)}` : relative(folder, path)),
            namespace: mark,
            pluginData: { path },
            // What others import of Retort comes through modules that list all of a room: what is not used does not count.
            ...(own && { sideEffects: bare.get(importer)?.has(args.path) ?? false }),
          };
        }
        // A package none of whose names is used does not count, unless it is imported only for its side effects.
        return { path: target, external: true, sideEffects: bare.get(importer)?.has(args.path) ?? false };
      });
      build.onLoad({ filter: /.*/, namespace: mark }, async (args) => {
        const path: string = args.pluginData.path;
        files.add(path);
        const more = { pluginData: { path }, resolveDir: folder };
        const kind = args.with.type;
        if (kind === "bytes") return { ...more, contents: await Deno.readFile(path), loader: "binary" };
        const contents = await Deno.readTextFile(path);
        if (kind === "text") return { ...more, contents, loader: "text" };
        const loader = kind === "json" ? "json" : loaderOf(path);
        if (/^\s*import\s*["']/m.test(contents)) {
          bare.set(path, await bareImports(build.esbuild, contents, loader));
        }
        return { ...more, contents, loader };
      });
    },
  };
}

function loaderOf(path: string): "ts" | "tsx" | "js" | "jsx" | "json" {
  const extension = /\.([cm]?[jt]sx?|json)$/.exec(path)?.[1];
  return (extension?.replace(/^[cm]/, "") ?? "js") as ReturnType<typeof loaderOf>;
}

/** The specifiers that a module imports without a name: `import "…"`. */
async function bareImports(
  service: Pick<typeof esbuild, "transform">,
  contents: string,
  loader: esbuild.Loader,
): Promise<Set<string>> {
  const { code } = await service.transform(contents, { ...COMMON, loader });
  return new Set([...code.matchAll(/^import ("[^"]*")/gm)].map(([, text]) => JSON.parse(text!) as string));
}

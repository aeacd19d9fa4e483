import { basename, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as esbuild from "esbuild";
import { type Digest, digestBytes, digestJson } from "../foundation/canonical.ts";
import { messageOf } from "../foundation/errors.ts";
import { getOrMake } from "../foundation/newer.ts";
import { isOwn, ownPath } from "../foundation/own_package.ts";
import { type ImportKind, markDeclarations } from "./declarative.ts";
import { CODE_OPTIONS, loaderOf, targetOf } from "./code_files.ts";
import { type KnownNames, moduleFiles } from "./module_files.ts";
import type { Packages } from "./packages.ts";
import { type Declaring, syntaxText } from "./syntax.ts";

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
export const METHOD = "esbuild-0.28.2 acorn-8.19.0/3";

/** What says that an output is temporary: no part of a stage's code. */
const TEMPORARY = "retort:temporary";

/** The modules that declare stages and pipelines belong to the runner and are covered by the format of keys. */
const DECLARING: ReadonlyMap<string, string> = new Map([
  [new URL("./stage.ts", import.meta.url).href, "retort:stage"],
  [new URL("./pipeline.ts", import.meta.url).href, "retort:pipeline"],
  [new URL("./temporary.ts", import.meta.url).href, TEMPORARY],
]);

/** Functions of Retort's own that declare something and do nothing else. */
const DECLARERS = new Set([
  ...["defineStage", "defineSource", "definePipeline", "defineCodec"],
  ...["array", "json", "many", "temporary"],
]);

/** Names under which a bundle imports what declares stages. */
function declaringNames(bundle: string): Declaring {
  const named = (module: string, name: string) =>
    new Set(
      [...bundle.matchAll(new RegExp(`^import \\{([^}]*)\\} from "${module}";`, "gm"))]
        .flatMap(([, names]) => names!.split(",").map((one) => one.trim().split(/\s+as\s+/)))
        .filter(([imported]) => imported === name).map((both) => both.at(-1)!),
    );
  return { stage: named("retort:stage", "defineStage"), temporary: named(TEMPORARY, "temporary") };
}

/** Bundles exports of modules; one bundler service for all, started when the first is needed. */
export class Bundler implements AsyncDisposable {
  readonly #packages: Packages;
  /** What modules name, by path and bytes: stages share most of them. */
  readonly #named: KnownNames = new Map();
  /** Prefix of module names in bundles; random, so that no module's text can contain it. */
  readonly #mark = `retort-${crypto.randomUUID()}`;
  /** Syntax trees by code: stages share most of their modules. */
  readonly #trees = new Map<string, string>();
  /** Modules as the bundler gets them, by path and source: stages share most of them. */
  readonly #prepared = new Map<string, Promise<PreparedModule>>();
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
      ...CODE_OPTIONS,
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
      plugins: [plugin({ mark, folder, files, packages: this.#packages, prepared: this.#prepared })],
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

  /**
   * The local files with which a module runs at another place: see {@link moduleFiles}.
   *
   * @param module file URL.
   * @param more paths of files besides.
   */
  async files(
    module: string,
    more: readonly string[],
  ): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined> {
    this.#service ??= await import("esbuild");
    return await moduleFiles(this.#service, fileURLToPath(module), more, this.#packages, this.#named);
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
    const declaring = declaringNames(code);
    const parts = [{ module: "", text: await this.#treeOf(own!, declaring) }];
    for (const part of rest) {
      const head = part.indexOf("\n");
      parts.push({
        module: part.slice(0, head).trim(),
        text: await this.#treeOf(part.slice(head + 1), declaring),
      });
    }
    return [...parts, { module: "", text: bundle.slice(end).replaceAll(/\s+/g, " ") }];
  }

  /** The syntax tree of a part as text; the part itself if the parser does not support its syntax. */
  async #treeOf(code: string, declaring: Declaring): Promise<string> {
    const id = JSON.stringify([code, [...declaring.stage], [...declaring.temporary]]);
    let text = this.#trees.get(id);
    if (text !== undefined) return text;
    try {
      text = await syntaxText(code, declaring);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      text = code;
    }
    this.#trees.set(id, text);
    return text;
  }
}

/** A module in plain JavaScript, with what it declares marked. */
interface PreparedModule {
  readonly contents: string;
  /** The specifiers that it imports without a name: `import "…"`. */
  readonly bare: ReadonlySet<string>;
}

/** Resolves as the runtime does: the import map for bare names, packages and built-ins left outside. */
function plugin(
  { mark, folder, files, packages, prepared }: {
    mark: string;
    folder: string;
    files: Set<string>;
    packages: Packages;
    prepared: Map<string, Promise<PreparedModule>>;
  },
): esbuild.Plugin {
  const bare = new Map<string, ReadonlySet<string>>();
  const ownStage = isOwn(pathToFileURL(`${folder}/`).href);
  return {
    name: "retort",
    setup(build) {
      build.onResolve({ filter: /.*/ }, (args) => {
        if (args.kind === "entry-point") return undefined;
        const importer: string = args.pluginData?.path ?? `${folder}/-`;
        const target = targetOf(args.path, importer, packages);
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
            // What others import of Retort comes through modules that list all of a room: what is not used does not count. The bundler
            // keeps what it was told first of a module, so it has to be the same whoever imports it and is read first.
            ...(own && { sideEffects: false }),
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
        if (kind === "text" || kind === "json") {
          return { ...more, contents: await Deno.readTextFile(path), loader: kind };
        }
        if (loaderOf(path) === "json") {
          return { ...more, contents: await Deno.readTextFile(path), loader: "json" };
        }
        const source = await Deno.readTextFile(path);
        const module = await getOrMake(
          prepared,
          `${path}\n${source}`,
          () => prepare(build.esbuild, path, source, packages),
        );
        bare.set(path, module.bare);
        return { ...more, contents: module.contents, loader: "js" };
      });
    },
  };
}

/** Takes types and comments away and marks declarations; what the parser does not know stays as it is. */
async function prepare(
  service: Pick<typeof esbuild, "transform">,
  path: string,
  source: string,
  packages: Packages,
): Promise<PreparedModule> {
  const { code } = await service.transform(source, {
    ...CODE_OPTIONS,
    // The annotations in the code are comments, and comments do not count.
    ignoreAnnotations: true,
    loader: loaderOf(path),
    sourcefile: path,
  });
  const bare = new Set(
    [...code.matchAll(/^import ("[^"]*")/gm)].map(([, text]) => JSON.parse(text!) as string),
  );
  const kindOf = (specifier: string, name: string): ImportKind => {
    const target = targetOf(specifier, path, packages);
    if (/^npm:\/?zod(?:@|$)/.test(target)) return "schema";
    if (!isOwn(target) || name === "*") return undefined;
    const own = ownPath(target);
    if (/^(?:mod\.|runner\/)/.test(own) && DECLARERS.has(name)) return "declaring";
    // Parameters and codecs of stages.
    return /^(?:stages|runner\/codecs)\//.test(own) ? "schema" : undefined;
  };
  try {
    return { contents: await markDeclarations(code, kindOf), bare };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { contents: code, bare };
  }
}

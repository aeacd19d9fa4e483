import type { z } from "zod";
import type { AnyCodec, Codec, ReadOf, WriteOf } from "./codec.ts";
import { files as filesCodec } from "./codecs/files.ts";
import { evaluatedModules } from "./evaluated.ts";
import type { StageContext } from "./context.ts";
import type { Policy, Resources, Retries } from "./policy.ts";
import { type CodecOf, type OutputType, plainOutputs } from "./temporary.ts";
import { CallError } from "../foundation/errors.ts";

export type { Cause, Resources, Retries } from "./policy.ts";
export type { Checkpoints, KeptValues, StageContext } from "./context.ts";
/** The engine that the user asked for. */
export type { EngineChoice } from "../foundation/engine_choice.ts";

/** A reference to a node's output, used to wire pipelines. Its type is the output's codec. */
export interface Ref<C extends AnyCodec = AnyCodec> {
  /** The node that makes it. */
  readonly node: NodeDraft;
  /** The name of the output. */
  readonly output: string;
  /** The type of the output. */
  readonly codec: C;
}

/** Reads a small artifact of the pipeline: the build goes on when it is there. */
export type ReadArtifact = <C extends AnyCodec>(ref: Ref<C>) => Promise<ReadOf<C>>;

/** An input that takes a list of artifacts of one type: `many(codec)`. */
export interface Many<C extends AnyCodec = AnyCodec> {
  /** The type of each artifact of the list. */
  readonly many: C;
}

/** The type of a declared input. */
export type InputType = AnyCodec | Many;
/** Declared inputs by name. */
export type InputTypes = Record<string, InputType>;
/** Declared outputs by name. */
export type OutputTypes = Record<string, OutputType>;

/** What a pipeline passes for an input. */
export type Wire<I> = I extends Many<infer C> ? readonly Ref<C>[] : I extends AnyCodec ? Ref<I> : never;
/** What a stage receives for an input. */
export type Loaded<I> = I extends Many<infer C> ? ReadOf<C>[] : ReadOf<I>;

/** Declares an input that takes a list of artifacts, usually the results of a sweep. */
export function many<C extends AnyCodec>(codec: C): Many<C> {
  return { many: codec };
}

/** The arguments of `run`. */
export interface StageArguments<P extends z.ZodType, I extends InputTypes, CR, CW> {
  /** The inputs, read by their codecs. */
  readonly inputs: { readonly [K in keyof I]: Loaded<I[K]> };
  /** The parameters, checked and with defaults filled in. */
  readonly params: z.output<P>;
  /** Everything else the stage may use. */
  readonly context: StageContext<CR, CW>;
}

/** A file outside the store, as a source locates it. */
export interface LocatedFile {
  /** Name inside the artifact. */
  readonly name: string;
  /** Where it lies. */
  readonly path: string;
  /** The sha256 that it must have, if known. */
  readonly digest?: string;
}

/** A stage that computes. */
export interface RunStage<
  P extends z.ZodType,
  I extends InputTypes,
  O extends OutputTypes,
  CR = unknown,
  CW = CR,
> {
  /** The stage's name: letters, digits, `.`, `_`, `-`. Part of the key. */
  readonly name: string;
  /** Schema of the parameters; unknown parameters are errors. */
  readonly params?: P;
  /** Codecs of what it returns, by name; `temporary(codec)` for what is needed only until it was read. */
  readonly outputs: O;
  /** Pins the code by hand: the key contains this text instead of the computed fingerprint. */
  readonly version?: string;
  /** Files that the stage reads at run time without importing them (workers, weights); part of the fingerprint. */
  readonly sources?: readonly URL[];
  /** Environment variables that it reads: their values are part of the key, as digests. */
  readonly env?: readonly string[];
  /** Codecs of what it reads, by name; `many(codec)` for a list. */
  readonly inputs?: I;
  /** True when the stage uses `context.seed`; the seed is then part of the key. */
  readonly seeded?: boolean;
  /**
   * `use`: runs on the one worker that owns the engine. `key`: in addition, the engine's name is part of the key.
   */
  readonly engine?: "use" | "key";
  /** What its nodes take: cores, memory, graphics cards, time. No part of the key. */
  readonly resources?: Resources;
  /** When its nodes are tried again. No part of the key. */
  readonly retries?: Retries;
  /** The codec of the states that `context.checkpoint` saves. */
  readonly checkpoint?: Codec<CR, CW>;
  /** Computes the outputs from inputs and parameters alone. */
  run(
    args: StageArguments<P, I, CR, CW>,
  ):
    | Promise<{ readonly [K in keyof O]: WriteOf<CodecOf<O[K]>> }>
    | { readonly [K in keyof O]: WriteOf<CodecOf<O[K]>> };
}

/** A source: locates data outside the store. */
export interface Source<P extends z.ZodType> {
  /** The source's name: letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** Schema of the parameters; unknown parameters are errors. */
  readonly params?: P;
  /** Lists the files; called whenever a pipeline is planned. */
  locate(args: { readonly params: z.output<P> }): Promise<readonly LocatedFile[]> | readonly LocatedFile[];
}

/** Per-node options. */
export interface NodeOptions {
  /** The node's name; unique in the pipeline. Default: the stage's name and the parameters that tell it apart. */
  readonly name?: string;
  /** What the node takes, instead of what its stage says, part by part. */
  readonly resources?: Resources;
  /** When it is tried again, instead of what its stage says. */
  readonly retries?: Retries;
  /**
   * What charts, tables and comparisons call the node where arms of an experiment stand beside one another:
   * `distilled`. No part of its key, nor of its seed.
   */
  readonly arm?: string;
  /** What its arm is compared at: `128 hidden states`. */
  readonly setting?: string;
  /** What it moves as a part of work in shards, for plans. No part of its key. */
  readonly moves?: Moves<Ref>;
}

/** What a node moves between machines, in sizes of an artifact. */
export interface Moves<R> {
  /** What plans call the work that it is a part of. */
  readonly work: string;
  /** It moves so many times the bytes of this artifact. */
  readonly like: R;
  /** How many times. */
  readonly times: number;
  /** Of the nodes that do the work: how many shards it is cut into. */
  readonly shards?: number;
}

/** A stage as the runner sees it. */
export interface StageDefinition {
  /** The stage's name. */
  readonly name: string;
  /** Schema of the parameters; undefined where it takes none. */
  readonly params: z.ZodType | undefined;
  /** Declared inputs. */
  readonly inputs: InputTypes;
  /** Codecs of its outputs. */
  readonly outputs: Readonly<Record<string, AnyCodec>>;
  /** Outputs that are kept only until they were read. */
  readonly temporary: readonly string[];
  /** The code pinned by hand, or undefined. */
  readonly version: string | undefined;
  /** Files read at run time that count as code. */
  readonly sources: readonly URL[];
  /** Environment variables whose values are part of the key. */
  readonly env: readonly string[];
  /** Whether the seed is part of the key. */
  readonly seeded: boolean;
  /** Whether it uses the engine, and whether the engine's name is part of the key. */
  readonly engine: "use" | "key" | undefined;
  /** How its nodes run, as declared: it is checked where nodes are made. */
  readonly policy: Policy;
  /** Codec of its checkpoints. */
  readonly checkpoint: AnyCodec | undefined;
  /** What a stage does. */
  readonly run: ((args: never) => unknown) | undefined;
  /** What a source does instead. */
  readonly locate: ((args: { params: never }) => unknown) | undefined;
  /**
   * File URLs of the modules that were being evaluated when it was declared, outermost first; empty inside a
   * build.
   */
  readonly modules: readonly string[];
}

/** A stage: call it in a pipeline to make a node. */
export interface Stage<P extends z.ZodType, I extends InputTypes, O extends OutputTypes> {
  (
    inputs: { readonly [K in keyof I]: Wire<I[K]> },
    ...rest: Record<never, never> extends z.input<P> ? [params?: z.input<P>, options?: NodeOptions]
      : [params: z.input<P>, options?: NodeOptions]
  ): { readonly [K in keyof O]: Ref<CodecOf<O[K]>> };
  /** What was declared. */
  readonly definition: StageDefinition;
}

/** Any stage. */
export interface AnyStage {
  /** What was declared. */
  readonly definition: StageDefinition;
}

/** A node while its pipeline is being built. */
export interface NodeDraft {
  /** The stage that it uses. */
  readonly stage: StageDefinition;
  /** What its inputs are wired to. */
  readonly inputs: Record<string, Ref | readonly Ref[]>;
  /** Its parameters as given, not yet checked. */
  readonly params: unknown;
  /** Its options as given. */
  readonly options: NodeOptions;
}

/** The schema of stages and pipelines without parameters. */
export type NoParams = z.ZodObject<Record<never, never>>;

/** Nodes that a pipeline may grow to. */
const MOST_NODES = 200_000;

/** The nodes of the pipeline being built; only one pipeline is built at a time in a process. */
let collector: NodeDraft[] | undefined;

/** Adds every node that is made during `build` to `drafts`. */
export async function collecting<T>(drafts: NodeDraft[], build: () => T | Promise<T>): Promise<T> {
  if (collector !== undefined) throw new CallError("pipeline/nested", "a build cannot build a pipeline");
  collector = drafts;
  try {
    return await build();
  } finally {
    collector = undefined;
  }
}

/** Runs `build` and returns its result with every node that it made. */
export async function collectNodes<T>(
  build: () => T | Promise<T>,
): Promise<{ value: T; drafts: NodeDraft[] }> {
  const drafts: NodeDraft[] = [];
  return { value: await collecting(drafts, build), drafts };
}

/** Names of stages by declaring module: declaring a name twice is most likely a mistake. */
const declared = new Map<string, Set<string>>();

/**
 * Declares a stage: a typed, pure step from inputs and parameters to outputs. Declare stages at the top level of a
 * module, so that workers that import the module find them.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 * import { defineStage, text } from "retort";
 * export const upper = defineStage({
 *   name: "text.upper",
 *   params: z.object({ locale: z.string().default("en") }),
 *   inputs: { text },
 *   outputs: { text },
 *   run: ({ inputs, params }) => ({ text: inputs.text.toLocaleUpperCase(params.locale) }),
 * });
 * ```
 *
 * @throws CallError when the declaration is not usable.
 */
export function defineStage<
  O extends OutputTypes,
  P extends z.ZodType = NoParams,
  I extends InputTypes = Record<never, never>,
  CR = unknown,
  CW = CR,
>(stage: RunStage<P, I, O, CR, CW>): Stage<P, I, O> {
  return declare(stage as never, evaluatedModules());
}

/**
 * Declares a source: a stage without inputs that locates data outside the store. Its artifact refers to the files
 * in place; keys depend on their bytes.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 * import { defineSource } from "retort";
 * export const textFile = defineSource({
 *   name: "text.file",
 *   params: z.object({ path: z.string() }),
 *   locate: ({ params }) => [{ name: "text.txt", path: params.path }],
 * });
 * ```
 *
 * @throws CallError when the declaration is not usable.
 */
export function defineSource<P extends z.ZodType = NoParams>(
  source: Source<P>,
): Stage<P, Record<never, never>, { files: typeof filesCodec }> {
  return declare({ ...source, outputs: { files: filesCodec } } as never, evaluatedModules());
}

// deno-lint-ignore no-explicit-any -- the two functions above give it its types
function declare(stage: Declared, modules: readonly string[]): any {
  const definition = checkedDefinition(stage, modules);
  const module = modules[0];
  if (module !== undefined) {
    let names = declared.get(module);
    if (names === undefined) declared.set(module, names = new Set());
    if (names.has(definition.name)) {
      throw new CallError("stage/declaration", `${module}: stage \`${definition.name}\` is declared twice`);
    }
    names.add(definition.name);
  }

  const make = (
    inputs: Record<string, Ref | readonly Ref[]>,
    params: unknown = {},
    options: NodeOptions = {},
  ) => {
    if (collector === undefined) {
      const hint = "Stages make nodes; call them inside `build` of `definePipeline`.";
      throw new CallError("stage/outside-build", `stage \`${definition.name}\` was called outside a build`, {
        hint,
      });
    }
    // A build that makes nodes without end would otherwise end by filling the memory.
    if (collector.length >= MOST_NODES) {
      throw new CallError(
        "pipeline/endless",
        `its build makes more than ${MOST_NODES.toLocaleString("en")} nodes`,
        {
          hint: "That is the most a pipeline may have: let a stage do more at once.",
        },
      );
    }
    const draft: NodeDraft = { stage: definition, inputs: { ...inputs }, params, options };
    collector.push(draft);
    return Object.fromEntries(
      Object.entries(definition.outputs).map(([output, codec]) => [output, { node: draft, output, codec }]),
    );
  };
  return Object.assign(make, { definition });
}

/** A declaration as it was given. */
type Declared = Partial<Omit<StageDefinition, "outputs">> & {
  readonly name: string;
  readonly outputs?: OutputTypes;
};

function checkedDefinition(stage: Declared, modules: readonly string[]): StageDefinition {
  const stated = `stage ${JSON.stringify(stage.name)} in ${modules[0] ?? "a build"}`;
  const fail = (what: string): never => {
    throw new CallError("stage/declaration", `${stated}: ${what}`);
  };
  if (typeof stage.name !== "string" || !/^[A-Za-z][\w.-]{0,79}$/.test(stage.name)) {
    fail("its name must be 1 to 80 letters, digits, `.`, `_` or `-`, and begin with a letter");
  }
  if ((typeof stage.run === "function") === (typeof stage.locate === "function")) {
    fail("it needs a function `run` (a source: `locate`)");
  }
  if (Object.hasOwn(stage, "timeout")) fail("`timeout` is called `resources: { time }`");
  for (const name of stage.env ?? []) {
    // deno-lint-ignore no-control-regex -- no variable has a name with a null character
    if (typeof name !== "string" || !/^[^=\u0000\s]{1,200}$/.test(name)) {
      fail(`${JSON.stringify(name)} in \`env\` cannot name an environment variable`);
    }
  }
  const outputs = stage.outputs;
  if (typeof outputs !== "object" || outputs === null || Object.keys(outputs).length === 0) {
    return fail("it declares no outputs");
  }
  for (const name of [...Object.keys(outputs), ...Object.keys(stage.inputs ?? {})]) {
    if (!/^[A-Za-z]\w{0,79}$/.test(name)) fail(`${JSON.stringify(name)} cannot name an input or output`);
  }
  const { codecs, temporary } = plainOutputs(outputs);
  return Object.freeze({
    name: stage.name,
    params: stage.params,
    inputs: stage.inputs ?? {},
    outputs: codecs,
    temporary,
    version: stage.version,
    sources: stage.sources ?? [],
    env: stage.env ?? [],
    seeded: stage.seeded ?? false,
    engine: stage.engine,
    policy: policyOf(stage as Pick<NodeOptions, "resources" | "retries">),
    checkpoint: stage.checkpoint,
    run: stage.run?.bind(stage),
    locate: stage.locate?.bind(stage),
    modules,
  });
}

/** What stages and options of nodes say of how nodes run. */
export function policyOf({ resources, retries }: { resources?: Resources; retries?: Retries }): Policy {
  return { ...(resources === undefined ? {} : { resources }), ...(retries === undefined ? {} : { retries }) };
}

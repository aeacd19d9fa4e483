import { fileURLToPath, pathToFileURL } from "node:url";
import { impliedEngine, resolveEngine } from "../foundation/engine_choice.ts";
import { CallError, messageOf, WrongCalls } from "../foundation/errors.ts";
import { VERSION } from "../foundation/own_package.ts";
import { EXPORT_HINT, stagePlaceOf } from "./declaration.ts";
import { readAwaited } from "./awaited.ts";
import type { Artifact } from "./codec.ts";
import { describeEnvironment } from "./environment.ts";
import { DamagedError } from "./errors.ts";
import type { RunEvent } from "./event.ts";
import type { Executor, ExecutorKind } from "./execute/executor.ts";
import { usualExecutor } from "./execute/executors.ts";
import { Fingerprinter } from "./fingerprint.ts";
import { ancestors, type Graph, type GraphNode, type OtherFaults, type OutputRef } from "./graph.ts";
import { Packages } from "./packages.ts";
import { buildPipeline, type BuiltPipeline, loadPipeline } from "./build_pipeline.ts";
import { type PlannedNode, Planner } from "./plan.ts";
import { Policies } from "./profile.ts";
import { type Project, projectOf } from "./project.ts";
import { Records } from "./records/records.ts";
import type { RunRecord } from "./records/rows.ts";
import { type AskedOutputs, askedOutputs, withRemakes } from "./remakes.ts";
import { runGraph } from "./run.ts";
import type { GraphRunOptions, Grown } from "./run_options.ts";
import { type RunSummary } from "./run_summary.ts";
import { matchingNodes, select, type Selected, type Selection, selectNodes } from "./selection.ts";
import type { EngineChoice } from "./stage.ts";
import { pushRun } from "./store/remote/runs.ts";
import type { Remote } from "./store/remote/remote.ts";
import { SecondLevel } from "./store/remote/second_level.ts";
import { Store } from "./store/store.ts";
import { CodeStore } from "./stored_code.ts";

/** Options for opening a pipeline over a store. */
export interface SessionOptions extends Selection {
  /** Path of the pipeline file, relative to the working folder or absolute. */
  readonly file: string;
  /** `a.b=value` assignments of the pipeline's parameters. */
  readonly set?: readonly string[];
  /** Folder of the store; made if missing. */
  readonly store: string;
  readonly seed?: number;
  readonly engine?: EngineChoice;
  /** Part of the name of the WebGPU adapter to use; with it `auto` is `webgpu`. */
  readonly adapter?: string;
  /** Patterns of nodes to recompute, as those of a selection. */
  readonly force?: readonly string[];
  readonly noCache?: boolean;
  /** Path of a profile: how stages run here. */
  readonly profile?: string;
  /** A store elsewhere: what this one lacks comes from there, and what runs make goes there. */
  readonly remote?: Remote;
  /** Gets what is to be said about the remote outside a run. */
  readonly onRemote?: (text: string) => void;
  /** How jobs are executed: one of `EXECUTORS`, or your own. Worker processes by default, threads with no jobs. */
  readonly executor?: ExecutorKind;
}

/** Options for executing a pipeline. */
export interface ExecuteOptions {
  /** Number of jobs that run in parallel, besides the one that owns the engine. 0: execute in this process. */
  readonly jobs: number;
  /** The command line, for the records. */
  readonly command: string;
  readonly stop: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onExecutor?: (executor: Executor) => void;
  readonly approve?: GraphRunOptions["approve"];
  /** Keeps temporary outputs. */
  readonly keepTemporary?: boolean;
  /** Called when a pipeline that depends on data has grown; may refuse by throwing. */
  readonly onGrown?: () => Promise<void>;
  readonly accept?: GraphRunOptions["accept"];
}

/** A pipeline, a store and the records together: what the commands work on. */
export class PipelineSession implements AsyncDisposable {
  private constructor(
    private readonly options: SessionOptions,
    private built: BuiltPipeline,
    readonly url: URL,
    readonly project: Project,
    readonly store: Store,
    readonly records: Records,
    readonly packages: Packages,
    readonly planner: Planner,
    readonly seed: number,
    readonly engine: EngineChoice,
    readonly adapter: string | undefined,
    private readonly opened: AsyncDisposableStack,
    private readonly executor: ExecutorKind | undefined,
    /** How the nodes run. */
    readonly policies: Policies,
    private chosen: Selected,
    /** Nodes whose artifacts the build has read: a part of every run, since no plan can do without them. */
    private readonly read: Set<GraphNode>,
    private readonly level: SecondLevel | undefined,
  ) {}

  /** The pipeline, as far as it is known. */
  get pipeline(): BuiltPipeline {
    return this.built;
  }

  /** With what they need, all that is made. */
  get targets(): readonly GraphNode[] {
    return [...new Set([...this.read, ...this.chosen.targets])];
  }

  /** What the run returns; empty while the pipeline is not known as a whole. */
  get outputs(): ReadonlyMap<string, OutputRef> {
    return this.chosen.outputs;
  }

  /**
   * Loads and builds the pipeline, opens the store. Nothing runs yet.
   *
   * @throws CallError for a pipeline or parameters that do not fit, RetortError for a store that cannot be used.
   */
  static async open(options: SessionOptions): Promise<PipelineSession> {
    const url = pathToFileURL(options.file);
    const project = projectOf(options.file);
    const { policies, pipeline } = await policiesAndPipeline(url, options);
    const { graph } = pipeline;
    const read = new Set<GraphNode>();
    // What does not fit is refused before there is a store.
    const { chosen, force } = await choose(pipeline, options, policies, read);
    // Importing the pipeline has locked what it imports.
    const packages = Packages.load(project);
    const store = Store.open(options.store, { create: true });
    // On a read-only store nothing is recorded, but a run whose results are all cached still works.
    await using opened = new AsyncDisposableStack();
    const records = opened.use(new Records(store, { copy: store.readOnly }));
    const choice = impliedEngine(options.engine ?? "auto", options.adapter);
    // One that still grows may come to use an engine.
    const keyed = pipeline.grow !== undefined || graph.nodes.some((node) => node.stage.engine === "key");
    const fingerprinter = opened.use(new Fingerprinter(packages, records.fingerprints));
    const { remote, onRemote = () => {} } = options;
    const level = remote === undefined || store.readOnly
      ? undefined
      : new SecondLevel(store, remote, onRemote);
    const planner = new Planner({
      store,
      records,
      fingerprinter,
      fileDigests: records.fileDigests,
      pipeline: pipeline.name,
      seed: options.seed ?? 0,
      engine: keyed ? await resolveEngine(choice) : choice,
      force,
      noCache: options.noCache ?? false,
      ...(level === undefined ? {} : { elsewhere: (key) => level.fetch(key) }),
    });
    const session = new PipelineSession(
      ...[options, pipeline, url, project, store, records, packages, planner] as const,
      ...[options.seed ?? 0, choice, options.adapter, opened.move(), options.executor, policies] as const,
      ...[chosen, read, level] as const,
    );
    try {
      await session.#growFromStore();
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  }

  /** Lets the build go on as long as the store has what it waits for. */
  async #growFromStore(): Promise<void> {
    let plan = new Map<GraphNode, PlannedNode>();
    while (this.built.grow !== undefined) {
      plan = await this.planner.plan(ancestors(this.targets), undefined, plan.values());
      try {
        const found = ({ node, output }: OutputRef) => {
          const planned = plan.get(node);
          return planned?.result?.dropped?.[output] === undefined ? planned?.outputs?.[output] : undefined;
        };
        if (await this.#grow(found) === undefined) return;
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        return; // It is set aside, so that it is made again.
      }
    }
  }

  /** Lets the build go on by one step, where all that it waits for is there. */
  async #grow(
    artifactOf: (source: OutputRef) => Artifact | undefined,
    signal?: AbortSignal,
  ): Promise<Grown | undefined> {
    const { graph: { awaited }, grow } = this.built;
    const values: unknown[] = [];
    for (const source of awaited) {
      const artifact = artifactOf(source);
      if (artifact === undefined) return undefined;
      values.push(await readAwaited(this.store.blobs, source, artifact));
    }
    this.built = await grow!(values, signal);
    const { chosen, force } = await choose(this.built, this.options, this.policies, this.read);
    this.chosen = chosen;
    for (const node of force) (this.planner.options.force as Set<GraphNode>).add(node);
    const { graph, asked } = this.built;
    return { graph, nodes: ancestors(this.targets), asked };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.opened.disposeAsync();
  }

  /**
   * Plans without running. New fingerprints are kept.
   *
   * @throws the signal's reason when aborted meanwhile.
   */
  async plan(signal?: AbortSignal): Promise<Map<GraphNode, PlannedNode>> {
    return withRemakes(await this.planner.plan(ancestors(this.targets), signal), this.wanted);
  }

  /** Outputs that the run shows at its end and that the build reads: what is asked for besides what nodes read. */
  get wanted(): AskedOutputs {
    const { graph } = this.built;
    if (this.#wanted?.graph !== graph) {
      this.#wanted = { graph, outputs: askedOutputs([...this.chosen.outputs.values(), ...graph.read]) };
    }
    return this.#wanted.outputs;
  }
  #wanted: { readonly graph: Graph; readonly outputs: AskedOutputs } | undefined;

  /** The version of Retort that last ran this pipeline on this store, where it is another one. */
  otherVersion(): string | undefined {
    const [last] = this.records.runs({ pipeline: this.pipeline.name, limit: 1 });
    const version = last?.environment.retort;
    return version === VERSION ? undefined : version;
  }

  /** The executor for a number of parallel jobs. */
  executorFor(jobs: number): ExecutorKind {
    return this.executor ?? usualExecutor(jobs);
  }

  /** Keeps the code of stages for workers elsewhere. */
  codeStore(): CodeStore {
    return new CodeStore(this.store, this.project, this.planner.options.fingerprinter);
  }

  /** Runs the pipeline and records the run. */
  async run(options: ExecuteOptions): Promise<RunSummary> {
    const folder = fileURLToPath(new URL(".", this.url));
    const record: RunRecord = {
      id: newRunId(),
      pipeline: this.pipeline.name,
      file: fileURLToPath(this.url),
      command: options.command,
      params: this.pipeline.params,
      seed: this.seed,
      status: "running",
      started: Date.now() / 1000,
      ended: null,
      environment: await describeEnvironment(this.packages, this, folder),
      pid: Deno.pid,
    };
    const kind = this.executorFor(options.jobs);
    const executor = kind.open(options.jobs, this.policies.site);
    options.onExecutor?.(executor);
    const { level } = this;
    if (level !== undefined) {
      level.tell = (text) => options.onEvent?.({ type: "remote", text });
    }
    const summary = await runGraph({
      store: this.store,
      records: this.records,
      graph: this.pipeline.graph,
      targets: this.targets,
      planner: this.planner,
      executor,
      policies: this.policies,
      capacity: this.policies.capacity(options.jobs),
      elsewhere: kind.elsewhere ?? false,
      ...(kind.elsewhere ? { code: this.codeStore() } : {}),
      engine: this.engine,
      config: this.project.config,
      ...(this.adapter === undefined ? {} : { adapter: this.adapter }),
      record,
      asked: this.pipeline.asked,
      wanted: () => this.wanted,
      keepTemporary: options.keepTemporary ?? false,
      grow: async (artifactOf, signal) => {
        const grown = await this.#grow(artifactOf, signal);
        if (grown !== undefined) await options.onGrown?.();
        return grown;
      },
      onEvent: options.onEvent ?? (() => {}),
      stop: options.stop,
      ...(options.approve === undefined ? {} : { approve: options.approve }),
      ...(options.accept === undefined ? {} : { accept: options.accept }),
      ...(level === undefined ? {} : { made: (key) => level.push(key) }),
    });
    if (level?.remote.writable && !options.stop.aborted) {
      await level.settled();
      const [ended] = this.records.findRuns(record.id);
      await level.finish(() => pushRun(this.store, this.records, level.remote, ended!));
    }
    return summary;
  }
}

/** Reads the profile and builds the pipeline. @throws CallError with the faults of both. */
async function policiesAndPipeline(
  url: URL,
  { profile, set = [], executor }: SessionOptions,
): Promise<{ readonly policies: Policies; readonly pipeline: BuiltPipeline }> {
  let policies: Policies | undefined, fault: unknown;
  try {
    policies = new Policies(profile, executor?.elsewhere);
  } catch (error) {
    fault = error;
  }
  // Whatever is wrong with the profile is told with what is wrong with the pipeline.
  const besides: OtherFaults = (stages, whole) =>
    policies?.unknownStages(stages, whole).map((text) => `${profile}: ${text}`) ?? [messageOf(fault)];
  const pipeline = await buildPipeline(await loadPipeline(url), set, url, besides);
  if (policies === undefined) throw fault;
  return { policies, pipeline };
}

/**
 * Looks at what there is to make now: while the build waits for artifacts, these alone; they are added to `read`.
 *
 * @throws CallError for all that does not fit, before anything of it runs.
 */
async function choose(
  { graph, grow }: BuiltPipeline,
  options: SessionOptions,
  policies: Policies,
  read: Set<GraphNode>,
): Promise<{ readonly chosen: Selected; readonly force: ReadonlySet<GraphNode> }> {
  for (const { node } of graph.awaited) read.add(node);
  const wrong = new WrongCalls();
  const chosen = graph.awaited.length === 0
    ? wrong.try(() => select(graph, options))
    : { targets: [...new Set(graph.awaited.map((source) => source.node))], outputs: new Map() };
  const needed = ancestors([...read, ...chosen?.targets ?? graph.nodes]);
  wrong.try(() => policies.check(graph.nodes, 1, grow === undefined));
  await findStages(needed).catch((error) => wrong.add(error));
  const force = wrong.try(() => forced(graph, needed, options.force ?? [], grow === undefined));
  wrong.throwAny();
  return { chosen: chosen!, force: force! };
}

/**
 * The nodes to recompute.
 *
 * @param whole false while the pipeline may still get the nodes that a pattern means.
 * @throws CallError for patterns all of whose nodes are outside the run.
 */
function forced(
  graph: Graph,
  needed: readonly GraphNode[],
  patterns: readonly string[],
  whole: boolean,
): Set<GraphNode> {
  const force = new Set<GraphNode>();
  const run = new Set(needed);
  const wrong = new WrongCalls();
  const hint = `The run makes ${needed.slice(0, 20).map((node) => node.name).join(", ")}${
    needed.length > 20 ? `, … (${needed.length})` : ""
  }`;
  for (const pattern of patterns) {
    const matched = whole
      ? wrong.try(() => selectNodes(graph, [pattern], "--force"))
      : matchingNodes(graph, pattern);
    if (matched === undefined) continue;
    const nodes = matched.filter((node) => run.has(node));
    if (whole && nodes.length === 0) {
      const text = `--force ${pattern}: its nodes are no part of this run`;
      wrong.add(new CallError("graph/nothing-selected", text, { hint }));
    }
    for (const node of nodes) force.add(node);
  }
  wrong.throwAny();
  return force;
}

/** Finds the modules that export the nodes' stages. @throws CallError naming every stage that no module exports. */
async function findStages(nodes: readonly GraphNode[]): Promise<void> {
  const faults: string[] = [];
  for (const stage of new Set(nodes.map((node) => node.stage))) {
    // Sources are located in this process whenever a pipeline is planned.
    if (stage.locate !== undefined) continue;
    await stagePlaceOf(stage).catch((error) => faults.push(messageOf(error)));
  }
  if (faults.length > 0) throw new CallError("stage/not-exported", faults.join("\n"), { hint: EXPORT_HINT });
}

/** A run's id: sorts by time, unique enough to be named by its first characters. */
function newRunId(): string {
  const time = new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15).toLowerCase();
  return `${time}-${crypto.randomUUID().slice(0, 6)}`;
}

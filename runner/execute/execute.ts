import type { AnyCodec, Artifact, FileEntry } from "../codec.ts";
import { inContext, messageOf, RetortError } from "../../foundation/errors.ts";
import { eachInput } from "../inputs.ts";
import { DamagedError, InterruptedError, isDamaged, isOfStore } from "../errors.ts";
import type { Checkpoints, StageContext, StageDefinition } from "../stage.ts";
import { artifactReader, writeArtifact } from "../store/artifacts.ts";
import { removeQuietly, uniqueName } from "../../foundation/atomic.ts";
import { CheckpointFolder } from "../store/checkpoints.ts";
import { engineValues } from "../store/engine_values.ts";
import { guarded } from "../../foundation/faults.ts";
import { lock } from "../../foundation/locks.ts";
import { turns } from "../../foundation/turns.ts";
import { type NodeResult, Store } from "../store/store.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";
import { outcomeOf } from "./outcome.ts";
import { withStrays } from "./strays.ts";
import { type StageReports, telling } from "./told.ts";

/** Time that a stage has to stop when asked, in milliseconds. */
export const STOP_GRACE = 10_000;

/**
 * Executes a job: takes the key's lock, checks whether another process has made the result meanwhile, reads the
 * inputs, runs the stage, writes the outputs and records the result.
 *
 * @param stop aborted when the run is being stopped.
 */
export async function executeJob(
  stage: StageDefinition,
  job: Job,
  tell: (message: JobMessage) => void,
  stop: AbortSignal,
): Promise<Outcome> {
  try {
    const store = Store.open(job.store);
    using _held = await lock(store.lockPath(job.key), {
      signal: stop,
      onWait: () => tell({ type: "waiting" }),
    });
    const found = job.mode === "make" || job.mode === "remake" ? store.lookup(job.key) : undefined;
    const earlier = found?.state === "found" ? found.result : undefined;
    const gone = (job.wanted ?? []).some((name) => Object.hasOwn(earlier?.dropped ?? {}, name));
    if (earlier !== undefined && !gone) return { kind: "elsewhere", result: earlier };
    return await withStrays((check) => new Execution(store, stage, job, tell, stop, earlier).run(check));
  } catch (error) {
    return outcomeOf(error, stop);
  }
}

/** One execution of a stage under its key's lock. */
class Execution {
  readonly #scratch: string;
  readonly #told: StageReports;
  #scratchMade = false;
  #engine: NodeResult["engine"];

  constructor(
    readonly store: Store,
    readonly stage: StageDefinition,
    readonly job: Job,
    readonly tell: (message: JobMessage) => void,
    readonly stop: AbortSignal,
    /** The result whose dropped outputs are made again. */
    readonly earlier: NodeResult | undefined,
  ) {
    this.#scratch = `${store.tmp}/scratch-${uniqueName()}`;
    this.#told = telling(tell);
  }

  /** @param check throws if the stage has failed through an uncaught error. */
  async run(check: () => void): Promise<Outcome> {
    const { stage, job, store } = this;
    const checkpoint = stage.checkpoint === undefined
      ? undefined
      : new CheckpointFolder(store, job.mode === "check" ? `${job.key}.check` : job.key, stage.checkpoint);
    if (job.mode === "recompute" || job.mode === "check") checkpoint?.drop();
    const began = performance.now();
    try {
      for (let times = 1;; times++) {
        const outputs = await this.#outputs(checkpoint);
        this.#warnIfChanged(outputs);
        const result: NodeResult = this.earlier !== undefined ? this.#remade(this.earlier, outputs) : {
          key: job.key,
          stage: stage.name,
          node: job.node,
          run: job.run,
          components: job.components,
          outputs,
          ...(this.#engine === undefined ? {} : { engine: this.#engine }),
          seconds: (performance.now() - began) / 1000,
          finished: new Date().toISOString(),
        };
        check();
        // Where another run dropped the same bytes while they were found to be there, they are written once more.
        if (job.mode !== "check" && !await store.commitWhole(result)) {
          if (times < 3) continue;
          throw new RetortError("store/damaged", "what it wrote is removed from the store again and again");
        }
        checkpoint?.drop();
        return { kind: "done", result };
      }
    } finally {
      if (this.#scratchMade) removeQuietly(this.#scratch);
    }
  }

  /** Reads the inputs, runs the stage and writes what it returned. */
  async #outputs(checkpoint: CheckpointFolder | undefined): Promise<Record<string, Artifact>> {
    const { stage, job } = this;
    for (let again = false;; again = true) {
      try {
        const inputs = await this.#readInputs();
        const returned = await this.#withTimeout((signal) => {
          const context = this.#context(signal, checkpoint);
          // Only the declaration of a stage knows the types of its arguments.
          return stage.run!({ inputs, params: structuredClone(job.params), context } as never);
        });
        const outputs = await this.#writeOutputs(returned);
        // The stage may have caught the error, but its output is not a valid result.
        if (this.store.blobs.damage.size > 0) {
          throw new DamagedError("store/damaged", "an input is damaged", []);
        }
        return outputs;
      } catch (error) {
        const inputsDamaged = this.store.blobs.damage.size > 0;
        if (!isDamaged(error) && !inputsDamaged) throw error;
        if (inputsDamaged) throw await this.#allDamaged();
        // Data outside the store that changed, or the checkpoint that the stage went on from: then it begins anew.
        const located = this.#inputFiles().some((file) =>
          (error as DamagedError).digests.includes(file.digest)
        );
        if (located || checkpoint === undefined || again) throw error;
        this.#told.log(`warning: the checkpoint was not usable, starting anew: ${messageOf(error)}`);
        checkpoint.drop();
      }
    }
  }

  #inputFiles(): FileEntry[] {
    return eachInput(this.job.inputs).flatMap(([, artifact]) => artifact.files);
  }

  /** Sets aside all damaged objects of the inputs and returns them as one error, so that one repair fixes all. */
  async #allDamaged(): Promise<DamagedError> {
    const { blobs } = this.store;
    const files = new Map(
      this.#inputFiles().filter((file) => file.location === undefined).map((file) => [file.digest, file]),
    );
    for (const { digest, size } of files.values()) {
      if (blobs.damage.has(digest)) continue;
      await blobs.checkedPath(digest, size).catch((error) => {
        if (!(error instanceof DamagedError)) throw error;
      });
    }
    const [first] = blobs.damage.values();
    const more = blobs.damage.size - 1;
    return new DamagedError(
      "store/damaged",
      first!.message + (more > 0 ? `; so are ${more} more inputs` : ""),
      [...blobs.damage.keys()],
      { hint: first!.hint! },
    );
  }

  async #readInputs(): Promise<Record<string, unknown>> {
    const read = async (codec: AnyCodec, artifact: Artifact, name: string) => {
      try {
        return await codec.read(artifactReader(this.store.blobs, artifact));
      } catch (error) {
        if (isOfStore(error)) throw error;
        throw inContext(
          `input \`${name}\` cannot be read as \`${codec.name}\``,
          error,
          "artifact/unreadable",
        );
      }
    };
    const inputs: Record<string, unknown> = {};
    for (const [name, type] of Object.entries(this.stage.inputs)) {
      const artifacts = this.job.inputs[name]!;
      const codec = "many" in type ? type.many : type;
      if (!Array.isArray(artifacts)) inputs[name] = await read(codec, artifacts as Artifact, name);
      else {
        const values: unknown[] = [];
        for (const [i, artifact] of artifacts.entries()) {
          values.push(await read(codec, artifact, `${name}[${i}]`));
        }
        inputs[name] = values;
      }
    }
    return inputs;
  }

  async #withTimeout(action: (signal: AbortSignal) => unknown): Promise<unknown> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.stop, over.signal]);
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // Nothing may be awaiting it when it rejects.
    const seconds = this.job.timeout;
    const timer = seconds === null ? undefined : setTimeout(() => {
      const error = new RetortError("stage/timeout", `it ran longer than its time limit of ${seconds} s`, {
        hint:
          "Raise `time` in the `resources` of the stage, the node or the profile, or give the stage less to do.",
      });
      over.abort(error);
      reject(error);
    }, seconds * 1000);
    // A stage that ignores its signal is abandoned when the run is being stopped.
    let grace: ReturnType<typeof setTimeout> | undefined;
    const onStop = () => {
      grace = setTimeout(() => reject(new InterruptedError()), STOP_GRACE);
    };
    this.stop.addEventListener("abort", onStop, { once: true });
    try {
      this.stop.throwIfAborted();
      return await Promise.race([Promise.resolve().then(() => action(signal)), promise]);
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      this.stop.removeEventListener("abort", onStop);
    }
  }

  async #writeOutputs(returned: unknown): Promise<Record<string, Artifact>> {
    const { stage, job } = this;
    const expected = Object.keys(stage.outputs);
    if (typeof returned !== "object" || returned === null) {
      const got = returned === null ? "null" : typeof returned;
      throw new RetortError(
        "stage/outputs",
        `stage \`${stage.name}\` returned ${got}, expected an object with ${expected.join(", ")}`,
      );
    }
    const values = returned as Record<string, unknown>;
    for (const name of Object.keys(values)) {
      if (!expected.includes(name)) {
        throw new RetortError(
          "stage/outputs",
          `stage \`${stage.name}\` returned an output \`${name}\` that it does not declare`,
        );
      }
    }
    const outputs: Record<string, Artifact> = {};
    for (const [name, codec] of Object.entries(stage.outputs)) {
      if (values[name] === undefined) {
        throw new RetortError("stage/outputs", `stage \`${stage.name}\` returned no output \`${name}\``);
      }
      const what = `output \`${name}\` of node \`${job.node}\``;
      outputs[name] = await writeArtifact(this.store.blobs, codec, values[name], what);
    }
    return outputs;
  }

  /**
   * The earlier result with what was made again.
   *
   * @throws RetortError when it has other bytes: results that were made of the earlier ones are in the store.
   */
  #remade(earlier: NodeResult, outputs: Record<string, Artifact>): NodeResult {
    const { job } = this;
    const other = Object.keys(outputs).filter((name) =>
      outputs[name]!.digest !== earlier.outputs[name]?.digest
    );
    const lost = other.filter((name) => job.wanted!.includes(name));
    if (lost.length > 0) {
      throw new RetortError(
        "run/not-reproducible",
        `${
          lost.map((name) => `output \`${name}\``).join(", ")
        } was dropped, and made again it has other bytes: stage ` +
          `\`${this.stage.name}\` is not deterministic${
            earlier.accepted === undefined ? "" : ", or the accepted change is not harmless"
          }`,
        {
          hint:
            `Make it and what follows anew: --force '${job.node}+'. Outputs that cannot be made again should not be ` +
            "temporary.",
        },
      );
    }
    for (const name of other) {
      const text =
        `warning: output \`${name}\` has other bytes than before: the stage is not deterministic; the earlier ones are kept`;
      this.tell({ type: "log", text });
    }
    const { dropped = {}, ...rest } = earlier;
    const still = Object.entries(dropped).filter(([name]) => other.includes(name));
    return still.length === 0 ? rest : { ...rest, dropped: Object.fromEntries(still) };
  }

  /** Warns when a recomputed node produces different bytes: its stage is not deterministic. */
  #warnIfChanged(outputs: Record<string, Artifact>): void {
    if (this.job.mode !== "recompute") return;
    const earlier = this.store.lookup(this.job.key);
    if (earlier.state !== "found") return;
    for (const [name, artifact] of Object.entries(outputs)) {
      if (earlier.result.outputs[name]?.digest === artifact.digest) continue;
      this.tell({
        type: "log",
        text:
          `warning: output \`${name}\` differs from the earlier result of the same key: the stage is not deterministic`,
      });
    }
  }

  #context(signal: AbortSignal, folder: CheckpointFolder | undefined): StageContext {
    const { job, stage } = this;
    const { log, progress, metric, chosen, engine: recordable } = this.#told;
    return {
      node: job.node,
      get seed() {
        if (job.seed !== null) return job.seed;
        throw new RetortError(
          "stage/undeclared",
          `stage \`${stage.name}\` uses context.seed but is not declared \`seeded: true\``,
        );
      },
      signal,
      checkpoint: checkpointsOf(stage, folder, this.stop, signal, log),
      engine: {
        choice: job.engine,
        ...(job.adapter === undefined ? {} : { adapter: job.adapter }),
        used: (engine, adapter) => {
          this.#engine = recordable(engine, adapter) ?? this.#engine;
        },
        kept: engineValues(this.store),
      },
      scratch: async () => {
        await guarded("making", this.#scratch, () => Deno.mkdir(this.#scratch, { recursive: true }));
        this.#scratchMade = true;
        return this.#scratch;
      },
      log,
      progress,
      metric,
      chosen,
    };
  }
}

function checkpointsOf(
  stage: StageDefinition,
  folder: CheckpointFolder | undefined,
  stop: AbortSignal,
  signal: AbortSignal,
  log: (text: string) => void,
): Checkpoints<unknown> {
  const declared = (): CheckpointFolder => {
    if (folder !== undefined) return folder;
    throw new RetortError(
      "stage/undeclared",
      `stage \`${stage.name}\` uses context.checkpoint but declares no \`checkpoint\` codec`,
    );
  };
  const interval = 1000 * Number(Deno.env.get("RETORT_CHECKPOINT_SECONDS") ?? 30);
  let saved = performance.now();
  const turn = turns();
  return {
    soon() {
      saved = -Infinity;
    },
    load: () =>
      declared().load((why) => log(`warning: the checkpoint was not usable, starting anew: ${why}`)),
    async save(state) {
      await declared().save(state);
      saved = performance.now();
    },
    async offer(make) {
      const target = declared();
      // Lets messages in, such as the request to stop, in a stage that never awaits anything.
      await turn();
      if (!stop.aborted && performance.now() - saved < interval) return signal.throwIfAborted();
      await target.save(await make());
      saved = performance.now();
      if (stop.aborted) throw new InterruptedError();
      signal.throwIfAborted();
    },
  };
}

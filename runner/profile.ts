import { z } from "zod";
import { CallError, messageOf } from "../foundation/errors.ts";
import { bytesText } from "../foundation/format.ts";
import { didYouMean } from "../foundation/nearest.ts";
import { once } from "../foundation/once.ts";
import type { GraphNode } from "./graph.ts";
import {
  memoryBytes,
  mergePolicies,
  type NodePolicy,
  nodePolicy,
  type Policy,
  resourcesSchema,
  retriesSchema,
  schemaFaults,
} from "./policy.ts";
import type { SlurmSite } from "./execute/slurm_site.ts";
import type { Capacity } from "./pool.ts";

const profileSchema = once(() => {
  const entry = resourcesSchema().extend({ retries: retriesSchema().optional() });
  return z.strictObject({
    pool: resourcesSchema().omit({ time: true }).optional(),
    default: entry.optional(),
    stages: z.record(z.string(), entry).optional(),
    slurm: z.strictObject({
      options: z.array(z.string().regex(/^-/, "an option begins with `-`, as in --partition=long"))
        .optional(),
      setup: z.array(z.string()).optional(),
      jobs: z.int().min(1).max(100_000).optional(),
      idle: z.number().min(0).max(86_400).optional(),
      time: z.number().min(60).optional(),
    }).optional(),
  });
});

/** How stages run on a machine or in a place: a JSON file that `--profile` names. */
export type Profile = z.output<ReturnType<typeof profileSchema>>;

/**
 * Reads a profile.
 *
 * @throws CallError with all faults at once.
 */
export function readProfile(path: string): Profile {
  let json: unknown;
  try {
    json = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    throw new CallError("run/profile", `the profile ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const checked = profileSchema().safeParse(json);
  if (!checked.success) throw refused(path, schemaFaults(checked.error));
  return checked.data;
}

function refused(path: string, faults: readonly string[]): CallError {
  return new CallError(
    "run/profile",
    `the profile ${path}:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    {
      hint: "docs/running.md says what a profile holds.",
    },
  );
}

function policyIn({ retries, ...resources }: NonNullable<Profile["default"]>): Policy {
  // The schema's own types have `undefined` where a property is missing.
  return { resources, ...(retries === undefined ? {} : { retries }) } as Policy;
}

function expressionOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map((part) => RegExp.escape(part)).join(".*")}$`);
}

/** Bytes of memory; all there could be for commands that only look at a pipeline and may not ask. */
function machineMemory(): number {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  return state === "granted" ? Deno.systemMemoryInfo().total : Infinity;
}

/** How the nodes of a pipeline run: what stages and nodes declare, and what a profile says. */
export class Policies {
  readonly #profile: Profile;
  readonly #stages: readonly {
    readonly pattern: string;
    readonly expression: RegExp;
    readonly policy: Policy;
  }[];
  readonly #nodes = new Map<GraphNode, NodePolicy>();

  /**
   * @param path of the profile, for messages; without one only what is declared counts.
   * @param elsewhere whether nodes run on other machines: only what the profile says limits them.
   */
  constructor(private readonly path?: string, private readonly elsewhere = false) {
    this.#profile = path === undefined ? {} : readProfile(path);
    this.#stages = Object.entries(this.#profile.stages ?? {}).map(([pattern, entry]) => ({
      pattern,
      expression: expressionOf(pattern),
      policy: policyIn(entry),
    }));
  }

  /** What the profile says of the cluster's scheduler. */
  get site(): SlurmSite {
    return this.#profile.slurm ?? {};
  }

  /** How a node runs: the profile's defaults, its stage, its own options, then what the profile says of its stage. */
  of(node: GraphNode): NodePolicy {
    let policy = this.#nodes.get(node);
    if (policy === undefined) {
      const own = this.#stages.filter(({ expression }) => expression.test(node.stage.name));
      const layers = [policyIn(this.#profile.default ?? {}), node.policy, ...own.map((one) => one.policy)];
      this.#nodes.set(node, policy = nodePolicy(mergePolicies(...layers)));
    }
    return policy;
  }

  /**
   * What the local pool has: what the profile says, else what the machine has.
   *
   * @param jobs that the user wants to run at once: so many nodes that say nothing fit beside each other.
   */
  capacity(jobs: number): Capacity {
    const { cores, memory, gpus } = this.#profile.pool ?? {};
    const has = (here: number) => this.elsewhere ? Infinity : here;
    return {
      cores: cores ?? has(Math.max(navigator.hardwareConcurrency, jobs)),
      memory: typeof memory === "string" ? memoryBytes(memory)! : memory ?? has(machineMemory()),
      gpus: gpus ?? has(1),
    };
  }

  /** What is wrong where the profile names stages that the pipeline has not; `whole` where these are all of its stages. */
  unknownStages(stages: ReadonlySet<string>, whole = true): string[] {
    const unknown = this.#stages.filter(({ expression }) =>
      whole && !stages.values().some((name) => expression.test(name))
    );
    return unknown.map(({ pattern }) =>
      `\`stages\`: the pipeline has no stage \`${pattern}\`${didYouMean(pattern, stages)}`
    );
  }

  /**
   * Refuses a profile that names stages which the pipeline has not, and nodes that the pool can never take.
   *
   * @param whole whether these are all nodes of the pipeline: one that still grows may have more stages.
   * @throws CallError with all faults at once.
   */
  check(nodes: readonly GraphNode[], jobs: number, whole = true): void {
    const faults = this.unknownStages(new Set(nodes.map((node) => node.stage.name)), whole);
    const { memory } = this.capacity(jobs);
    const gpus = this.#profile.pool?.gpus ?? Infinity;
    for (const node of nodes) {
      const wanted = this.of(node);
      if ((wanted.memory ?? 0) > memory) {
        faults.push(
          `node \`${node.name}\` takes ${bytesText(wanted.memory!)} of memory; there are ${
            bytesText(memory)
          }`,
        );
      }
      if (wanted.gpus > gpus) {
        faults.push(`node \`${node.name}\` takes ${wanted.gpus} graphics cards; there are ${gpus}`);
      }
    }
    if (faults.length === 0) return;
    if (this.path !== undefined) throw refused(this.path, faults);
    throw new CallError("run/profile", faults.join("\n"), {
      hint: "A profile may say less for this machine: --profile FILE (docs/running.md).",
    });
  }
}

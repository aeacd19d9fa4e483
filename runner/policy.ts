import { z } from "zod";
import { once } from "../foundation/once.ts";

/**
 * Why an execution ended without a result. `lost`: its process was ended from outside, or the machine is gone. `memory`:
 * it needed more memory than there is, or than it may take. `timeout`: it took longer than it may. `error`: the stage
 * itself failed.
 */
export type Cause = "lost" | "memory" | "timeout" | "error";

const CAUSES = ["lost", "memory", "timeout", "error"] as const;

/** When a node that failed is tried again. */
export interface Retries {
  /** How often, besides the first time: 0 to 20. */
  readonly times: number;
  /** After which ends; by default all that are no error of the stage. */
  readonly on?: readonly Cause[];
  /** Seconds between two attempts; 0 by default. */
  readonly wait?: number;
}

/** What a node takes while it runs: what is free decides when it begins. No part of its key. */
export interface Resources {
  /** Processor cores; 1 where nothing is said. */
  readonly cores?: number;
  /** Memory of its process and of the programs that it starts, in bytes or as `"4 GB"`, `"512 MiB"`; more ends it. */
  readonly memory?: number | string;
  /** Graphics cards. */
  readonly gpus?: number;
  /** Seconds after which it is ended. */
  readonly time?: number;
}

/** How nodes run, as stages, nodes and profiles say it. */
export interface Policy {
  /** What a node takes. */
  readonly resources?: Resources;
  /** When it is tried again. */
  readonly retries?: Retries;
}

/** How one node runs, after all that was said. */
export interface NodePolicy {
  /** Cores; undefined where nothing was said. */
  readonly cores: number | undefined;
  /** Bytes; undefined: no limit. */
  readonly memory: number | undefined;
  readonly gpus: number;
  /** Seconds; undefined: no limit. */
  readonly time: number | undefined;
  readonly retries: { readonly times: number; readonly on: readonly Cause[]; readonly wait: number };
}

const MEMORY = /^(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?$/i;

/** Bytes of an amount of memory such as `"1.5 GB"`; undefined where the text says none. */
export function memoryBytes(text: string): number | undefined {
  const [, amount, unit = ""] = MEMORY.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const power = "KMGT".indexOf(unit.charAt(0).toUpperCase() || "-") + 1;
  return Math.round(Number(amount) * (unit.length === 2 ? 1024 : 1000) ** power);
}

/** What `resources` may say. Schemas are made when something is checked: most stages say nothing. */
export const resourcesSchema: () => ResourcesSchema = once(() =>
  z.strictObject({
    cores: z.number().positive().max(4096).optional(),
    memory: z.union([
      z.number().positive(),
      z.string().refine((text) => (memoryBytes(text) ?? 0) > 0, 'expected an amount such as "4 GB"'),
    ]).optional(),
    gpus: z.int().min(0).max(64).optional(),
    time: z.number().positive().max(1e9).optional(),
  })
);

type ResourcesSchema = z.ZodObject<{
  cores: z.ZodOptional<z.ZodNumber>;
  memory: z.ZodOptional<z.ZodUnion<readonly [z.ZodNumber, z.ZodString]>>;
  gpus: z.ZodOptional<z.ZodInt>;
  time: z.ZodOptional<z.ZodNumber>;
}, z.core.$strict>;

/** What `retries` may say. Without an end to them, a broken machine would be asked for ever. */
export const retriesSchema: () => RetriesSchema = once(() =>
  z.strictObject({
    times: z.int().min(0).max(20),
    on: z.array(z.enum(CAUSES)).min(1).optional(),
    wait: z.number().min(0).max(86_400).optional(),
  })
);

type RetriesSchema = z.ZodObject<{
  times: z.ZodInt;
  on: z.ZodOptional<z.ZodArray<z.ZodEnum<{ [K in Cause]: K }>>>;
  wait: z.ZodOptional<z.ZodNumber>;
}, z.core.$strict>;

const policySchema = once(() =>
  z.object({ resources: resourcesSchema().optional(), retries: retriesSchema().optional() })
);

/** The faults of what was checked, a line each: where, what was expected. */
export function schemaFaults(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const path = issue.path.map(String).join(".");
    return `${path === "" ? "" : `\`${path}\`: `}${
      issue.message.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase())
    }`;
  });
}

/** What is wrong with a policy, a line a fault. */
export function policyFaults(policy: object): string[] {
  if (Object.keys(policy).length === 0) return [];
  const checked = policySchema().safeParse(policy);
  return checked.success ? [] : schemaFaults(checked.error);
}

/** The layers as one: what a later one says counts, part by part; its `retries` as a whole. */
export function mergePolicies(...layers: readonly Policy[]): Policy {
  let merged: Policy = {};
  for (const { resources, retries } of layers) {
    merged = {
      ...merged,
      ...(resources === undefined ? {} : { resources: { ...merged.resources, ...resources } }),
      ...(retries === undefined ? {} : { retries }),
    };
  }
  return merged;
}

/** A checked policy with its defaults. */
export function nodePolicy({ resources = {}, retries }: Policy): NodePolicy {
  const { memory } = resources;
  return {
    cores: resources.cores,
    memory: typeof memory === "string" ? memoryBytes(memory) : memory,
    gpus: resources.gpus ?? 0,
    time: resources.time,
    retries: {
      times: retries?.times ?? 0,
      on: retries?.on ?? ["lost", "memory", "timeout"],
      wait: retries?.wait ?? 0,
    },
  };
}

/** Why an execution failed, by the code of its error. */
export function causeOf(code: string): Cause {
  switch (code) {
    case "run/lost":
      return "lost";
    case "run/memory":
      return "memory";
    case "stage/timeout":
      return "timeout";
    default:
      return "error";
  }
}

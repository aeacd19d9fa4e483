import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Digest, digestJson, type JsonValue } from "../foundation/canonical.ts";
import { CallError, RetortError } from "../foundation/errors.ts";
import type { InputType, StageDefinition } from "./stage.ts";

/** Where a stage is declared: a process that imports only this module finds the stage there. */
export interface StagePlace {
  /** File URL of the module. */
  readonly module: string;
  /** Name of the export; for a stage inside an exported object or list, the names that lead to it follow. */
  readonly path: readonly string[];
}

/** Maximum depth to which exported objects and lists are searched. */
const DEPTH = 4;

const places = new WeakMap<StageDefinition, StagePlace>();
/** Stages that a pipeline file exports, as they were when it was loaded. */
const offered = new WeakMap<StageDefinition, StagePlace>();

/**
 * Remembers the stages that a pipeline file exports. Call it after loading the file and before its build, when
 * nothing but the import has happened, as in every worker that looks for them there.
 */
export function offerStages(module: string, exports: object): void {
  for (const [stage, path] of exportedStages(exports)) {
    if (!offered.has(stage)) offered.set(stage, { module, path });
  }
}

/**
 * Finds a stage among the exports of the modules that were being evaluated when it was made, otherwise among those
 * of the pipeline file.
 *
 * @throws CallError when none exports it: other processes could not find it, and its code could not be
 * fingerprinted.
 */
export async function stagePlaceOf(stage: StageDefinition): Promise<StagePlace> {
  let place = places.get(stage);
  if (place !== undefined) return place;
  for (const module of stage.modules) {
    const path = exportedStages(await import(module)).get(stage);
    if (path === undefined) continue;
    place = { module, path };
    break;
  }
  place ??= offered.get(stage);
  if (place === undefined) throw new CallError("stage/not-exported", homeless(stage), { hint: EXPORT_HINT });
  places.set(stage, place);
  return place;
}

/** The part of a job that identifies its stage. {@link stagePlaceOf} must have found the stage before. */
export function placed(
  stage: StageDefinition,
): StagePlace & { readonly stage: string; readonly declared: Digest } {
  const place = places.get(stage);
  if (place === undefined) throw new CallError("stage/not-exported", homeless(stage), { hint: EXPORT_HINT });
  return { ...place, stage: stage.name, declared: declarationDigest(stage, place) };
}

/** Hint for a stage that no module exports. */
export const EXPORT_HINT =
  "A stage is what importing its module alone declares: export it at the top of the file that makes it, " +
  "as `export const NAME = …`, also when a function of another file makes it there.";

function homeless(stage: StageDefinition): string {
  const files = stage.modules.map((module) => module.startsWith("file:") ? fileURLToPath(module) : module);
  return `stage \`${stage.name}\` is not exported by the file that makes it ` +
    `(${files.length === 0 ? "it is made inside a pipeline's build" : files.join(", ")})`;
}

/**
 * Imports a module and returns the stage at a place in it.
 *
 * @throws RetortError when no stage of that name is there.
 */
export async function stageAt({ module, path }: StagePlace, name: string): Promise<StageDefinition> {
  for (const [stage, found] of exportedStages(await import(module))) {
    if (stage.name !== name || found.join("\n") !== path.join("\n")) continue;
    places.set(stage, { module, path });
    return stage;
  }
  throw new RetortError(
    "stage/not-exported",
    `${module} has no stage \`${name}\` at its export \`${path.join(".")}\` when it is imported by itself`,
    { hint: EXPORT_HINT },
  );
}

/**
 * Checks that a stage is the one that was planned.
 *
 * @param declared what {@link declarationDigest} said where it was asked for.
 * @throws RetortError when its declaration differs.
 */
export function checkDeclared(stage: StageDefinition, place: StagePlace, declared: Digest): void {
  if (declarationDigest(stage, place) === declared) return;
  const { module } = place;
  throw new RetortError(
    "stage/unstable-declaration",
    `${module} declares the stage \`${stage.name}\` differently when it is imported by itself`,
    { hint: `Its declaration must not depend on what other modules do. ${EXPORT_HINT}` },
  );
}

/** Digest of what a stage declares besides its code: what the process that planned it relies on. */
export function declarationDigest(stage: StageDefinition, place: StagePlace): Digest {
  const typed = (type: InputType): JsonValue =>
    "many" in type ? ["many", typed(type.many)] : [type.name, type.version];
  const all = (types: Record<string, InputType>) =>
    Object.fromEntries(Object.entries(types).map(([name, type]) => [name, typed(type)]));
  return digestJson({
    name: stage.name,
    version: stage.version ?? null,
    seeded: stage.seeded,
    engine: stage.engine ?? null,
    env: [...stage.env],
    inputs: all(stage.inputs),
    outputs: all(stage.outputs),
    checkpoint: stage.checkpoint === undefined ? null : typed(stage.checkpoint),
    // Wherever its folder lies.
    sources: stage.sources.map((url) => relativeTo(place, fileURLToPath(url))),
  });
}

/** A path from the folder of a stage's module: the same wherever that lies. */
export function relativeTo({ module }: StagePlace, path: string): string {
  return relative(fileURLToPath(new URL(".", module)), path);
}

/** The stages that a module exports, each with the first path to it: its own exports before the insides of others. */
function exportedStages(exports: object): Map<StageDefinition, string[]> {
  const found = new Map<StageDefinition, string[]>();
  const seen = new Set<unknown>();
  let level: [unknown, string[]][] = members(exports).map(([name, value]) => [value, [name]]);
  for (let depth = 0; depth < DEPTH; depth++) {
    const next: typeof level = [];
    for (const [value, path] of level) {
      if (isStage(value)) {
        if (!found.has(value.definition)) found.set(value.definition, path);
      } else if (isPlain(value) && !seen.has(value)) {
        seen.add(value);
        for (const [name, inside] of members(value)) next.push([inside, [...path, name]]);
      }
    }
    level = next;
  }
  return found;
}

function isStage(value: unknown): value is { definition: StageDefinition } {
  return typeof value === "function" && Object.hasOwn(value, "definition") &&
    typeof (value as { definition?: unknown }).definition === "object";
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const proto = Object.getPrototypeOf(value);
  return Array.isArray(value) || proto === Object.prototype || proto === null;
}

/** Own properties with their values; getters are left alone. */
function members(object: object): [string, unknown][] {
  return Object.keys(object).flatMap((name): [string, unknown][] => {
    try {
      const { value } = Object.getOwnPropertyDescriptor(object, name)!;
      return [[name, value]];
    } catch {
      return []; // A binding of a module that has not got its value yet.
    }
  });
}

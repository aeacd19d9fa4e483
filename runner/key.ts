import { durationText } from "../foundation/format.ts";
import { type Digest, digestJson, type JsonObject, type JsonValue } from "../foundation/canonical.ts";
import type { CodeFingerprint } from "./fingerprint.ts";
import type { VariableDigests } from "./variables.ts";

/**
 * Raised when the meaning of a key changes: then no old result is found any more. Keys of format 1 missed what pipeline
 * files handed to functions that make stages.
 */
export const KEY_FORMAT = 2;

/** The components of a key, each comparable by itself. */
export interface KeyComponents {
  /** The format of the key; records of format 1 do not name it. */
  readonly format?: number;
  readonly stage: string;
  readonly code: CodeFingerprint;
  readonly params: JsonObject;
  /** Content digests of the inputs by name; a list for `many` inputs. */
  readonly inputs: Readonly<Record<string, Digest | readonly Digest[]>>;
  readonly seed?: number;
  /** The engine, for stages that put it into their key. */
  readonly engine?: string;
  /** Environment variables that the stage declares. */
  readonly env?: VariableDigests;
}

/** The key of a node: equal components, equal key. Files' digests in `code.modules` only explain; they do not count. */
export function keyOf(components: KeyComponents): Digest {
  return digestJson({
    format: KEY_FORMAT,
    stage: components.stage,
    code: components.code.digest,
    packages: components.code.packages as JsonObject,
    params: components.params,
    inputs: components.inputs as JsonObject,
    seed: components.seed ?? null,
    engine: components.engine ?? null,
    ...(components.env === undefined ? {} : { env: components.env }),
  });
}

/** Why a node runs. Recorded as is; `reasonText` renders it. */
export type Reason =
  /** No result of this node yet; `nearest` is a node of the same stage with what tells them apart. */
  | {
    readonly kind: "first";
    readonly nearest?: { readonly node: string; readonly differs: readonly Reason[] };
  }
  | { readonly kind: "forced" }
  | { readonly kind: "no-cache" }
  | { readonly kind: "lost"; readonly why: string }
  | { readonly kind: "damaged"; readonly why: string }
  /** Temporary outputs that were dropped are made again, for these nodes or because they were asked for; `seconds` it took before. */
  | {
    readonly kind: "dropped";
    readonly outputs: readonly string[];
    readonly nodes: readonly string[];
    readonly seconds: number;
  }
  /** The format of keys has changed since. */
  | { readonly kind: "format" }
  | { readonly kind: "code"; readonly changed: readonly string[] }
  /** A file that the stage names in `sources`. */
  | { readonly kind: "source"; readonly name: string }
  | { readonly kind: "package"; readonly name: string; readonly from?: string; readonly to?: string }
  | { readonly kind: "param"; readonly path: string; readonly from?: JsonValue; readonly to?: JsonValue }
  /** `files`: which files of data outside the store changed, came or went. */
  | {
    readonly kind: "input";
    readonly name: string;
    readonly from?: string;
    readonly to?: string;
    readonly files?: readonly string[];
  }
  | { readonly kind: "seed"; readonly from?: number; readonly to?: number }
  | { readonly kind: "engine"; readonly from?: string; readonly to?: string }
  /** Digests of the values; null where the variable is not set. */
  | {
    readonly kind: "env";
    readonly name: string;
    readonly from?: Digest | null;
    readonly to?: Digest | null;
  }
  | { readonly kind: "upstream"; readonly nodes: readonly string[] };

/** Why a node is made again whose result is there. */
export type Dropped = Extract<Reason, { kind: "dropped" }>;

/**
 * What differs between the components of an earlier result and those wanted now, in a fixed order:
 * format or code, packages, parameters, inputs, seed, engine, environment variables.
 *
 * @param inputSource names the output that an input is wired to, for the message.
 */
export function compareComponents(
  earlier: KeyComponents,
  now: KeyComponents,
  inputSource: (name: string) => string = (name) => name,
): Reason[] {
  const reasons: Reason[] = [];
  if ((earlier.format ?? 1) !== (now.format ?? 1)) {
    // Fingerprints of different formats cannot be compared.
    reasons.push({ kind: "format" });
  } else if (earlier.code.digest !== now.code.digest) {
    const changed = changedModules(earlier.code, now.code);
    const sources = union(earlier.code.sources ?? {}, now.code.sources ?? {})
      .filter((name) => earlier.code.sources?.[name] !== now.code.sources?.[name]);
    if (changed.length > 0 || sources.length === 0) reasons.push({ kind: "code", changed });
    for (const name of sources) reasons.push({ kind: "source", name });
  }
  for (const name of union(earlier.code.packages, now.code.packages)) {
    const from = earlier.code.packages[name];
    const to = now.code.packages[name];
    if (from !== to) reasons.push({ kind: "package", name, ...given({ from, to }) });
  }
  reasons.push(...compareParams(earlier.params, now.params, ""));
  for (const name of union(earlier.inputs, now.inputs)) {
    const from = short(earlier.inputs[name]);
    const to = short(now.inputs[name]);
    if (
      digestJson((earlier.inputs[name] ?? null) as JsonValue) !==
        digestJson((now.inputs[name] ?? null) as JsonValue)
    ) {
      reasons.push({ kind: "input", name: `${name} (${inputSource(name)})`, ...given({ from, to }) });
    }
  }
  if (earlier.seed !== now.seed) {
    reasons.push({ kind: "seed", ...given({ from: earlier.seed, to: now.seed }) });
  }
  if (earlier.engine !== now.engine) {
    reasons.push({ kind: "engine", ...given({ from: earlier.engine, to: now.engine }) });
  }
  for (const name of union(earlier.env ?? {}, now.env ?? {})) {
    const from = earlier.env?.[name];
    const to = now.env?.[name];
    if (from !== to) reasons.push({ kind: "env", name, ...given({ from, to }) });
  }
  return reasons;
}

function compareParams(from: JsonValue | undefined, to: JsonValue | undefined, path: string): Reason[] {
  const both = isObject(from) && isObject(to);
  if (both) {
    return union(from, to).flatMap((key) =>
      compareParams(from[key], to[key], path === "" ? key : `${path}.${key}`)
    );
  }
  if (digestJson(from ?? null) === digestJson(to ?? null)) return [];
  return [{ kind: "param", path, ...given({ from, to }) }];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Modules whose contribution to the bundle changed, came or went. */
function changedModules(earlier: CodeFingerprint, now: CodeFingerprint): string[] {
  return union(earlier.modules, now.modules).filter((name) => earlier.modules[name] !== now.modules[name]);
}

function union(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

function short(digests: Digest | readonly Digest[] | undefined): string | undefined {
  if (digests === undefined) return undefined;
  if (typeof digests === "string") return digests.slice(0, 8);
  return digests.length === 1 ? "1 artifact" : `${digests.length} artifacts`;
}

/** Without the properties that are undefined. */
function given<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Renders a reason as text. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case "first":
      if (reason.nearest === undefined) return "never run before";
      return `never run before (nearest is ${reason.nearest.node}: ${
        reason.nearest.differs.map(reasonText).join("; ")
      })`;
    case "forced":
      return "forced";
    case "no-cache":
      return "recomputed because of --no-cache";
    case "lost":
    case "damaged":
      return reason.why;
    case "dropped":
      return `${listText(reason.outputs)} was dropped and ${
        reason.nodes.length === 0 ? "is asked for" : `${listText(reason.nodes)} needs it`
      }: made again, about ${durationText(reason.seconds)}`;
    case "format":
      return "keys are made in another way since its last result";
    case "code":
      return reason.changed.length === 0 ? "code changed" : `code changed: ${reason.changed.join(", ")}`;
    case "source":
      return `source file ${reason.name} changed`;
    case "package":
      if (reason.from === undefined) return `package ${reason.name} is new`;
      if (reason.to === undefined) return `package ${reason.name} is gone`;
      return `package ${reason.name} changed: ${packageVersion(reason.from)} -> ${packageVersion(reason.to)}`;
    case "param":
      return `parameter ${reason.path} changed: ${valueText(reason.from)} -> ${valueText(reason.to)}`;
    case "input":
      return `input ${reason.name} changed: ${reason.from ?? "none"} -> ${reason.to ?? "none"}` +
        (reason.files === undefined ? "" : ` (${listText(reason.files)})`);
    case "seed":
      return `seed changed: ${reason.from ?? "none"} -> ${reason.to ?? "none"}`;
    case "engine":
      return `engine changed: ${reason.from ?? "none"} -> ${reason.to ?? "none"}`;
    case "env":
      return `environment variable ${reason.name} ${variableText(reason)}`;
    case "upstream":
      return `waits for ${listText(reason.nodes)}`;
  }
}

/** How a variable changed, without its value, which may be a secret. */
function variableText({ from, to }: Reason & { kind: "env" }): string {
  if (to === undefined) return "is declared no more";
  if (from === undefined) return "is declared now";
  if (to === null) return "is not set any more";
  return from === null ? "is set now" : "changed";
}

/** Names in a line; of many the first, and how many more. */
function listText(names: readonly string[]): string {
  const shown = names.length > 6 ? 5 : names.length;
  return names.slice(0, shown).join(", ") +
    (shown < names.length ? ` and ${names.length - shown} more` : "");
}

function packageVersion(text: string): string {
  return text.split(" ")[0]!;
}

function valueText(value: JsonValue | undefined): string {
  if (value === undefined) return "unset";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

import type { Circuit, InputNode, Node, ProductNode, SumNode, Variable } from "./circuit.ts";
import { CircuitError, type Fault } from "./errors.ts";
import { kindOf } from "./guards.ts";

/** Newest version of the format; older ones can still be read. */
export const CIRCUIT_VERSION = 4;

/** The structure of a circuit as its file has it. */
export type StructureFile = Pick<Circuit, "variables" | "nodes" | "root" | "notes">;

/**
 * Reads the JSON of a structure and checks its form, field by field: whether nodes and parameters fit is asked by
 * `structureFaults`. Written out, so that what browsers load holds no library for schemas.
 *
 * @param where how messages name the circuit's origin
 * @throws {CircuitError} with every fault and its place
 */
export function parseStructure(structure: string, where: string): StructureFile {
  let json: unknown;
  try {
    json = JSON.parse(structure);
  } catch (cause) {
    throw new CircuitError(
      "circuit-file/damaged",
      `${where}: its structure is not JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > CIRCUIT_VERSION) {
    throw new CircuitError(
      "circuit-file/version",
      `${where} has the version ${version} of the format; this program reads up to ${CIRCUIT_VERSION}`,
      { hint: "Use a newer version of this program." },
    );
  }
  const faults: Fault[] = [];
  checkFile(json, "top", (where, problem) => void faults.push({ where, problem }));
  if (faults.length > 0) {
    throw CircuitError.of("circuit-file/invalid", `${where} holds no valid circuit`, faults);
  }
  const file = json as {
    readonly variables: readonly Variable[];
    readonly nodes: readonly (Omit<InputNode, "id"> | Omit<SumNode, "id"> | Omit<ProductNode, "id">)[];
    readonly root: number;
    readonly notes?: Readonly<Record<string, string>>;
  };
  return {
    variables: file.variables,
    nodes: file.nodes.map((node, id): Node => {
      if (node.kind === "sum") return { ...node, groups: node.groups ?? 1, id };
      if (node.kind === "input") return { ...node, settings: node.settings ?? {}, id };
      return { ...node, id };
    }),
    root: file.root,
    ...(file.notes !== undefined && { notes: file.notes }),
  };
}

/** Looks at a value and reports what is wrong with it. */
type Check = (value: unknown, where: string, report: (where: string, problem: string) => void) => void;

/** A check of one condition. */
function is(expected: string, condition: (value: unknown) => boolean): Check {
  return (value, where, report) => {
    if (!condition(value)) report(where, `expected ${expected}, got ${kindOf(value)}`);
  };
}

const isText = (value: unknown) => typeof value === "string";
const text = is("a string", isText);
const index = is("a whole number from 0", (value) => Number.isSafeInteger(value) && (value as number) >= 0);
const positive = is(
  "a whole number from 1",
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
);
const setting = is(
  "a number or a list of numbers",
  (value) => Array.isArray(value) ? value.every(Number.isFinite) : Number.isFinite(value),
);

/** A field that may be missing. */
function optional(check: Check): Check {
  return (value, where, report) => value === undefined || check(value, where, report);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list, each of whose entries passes. */
function list(check: Check): Check {
  return (value, where, report) => {
    if (!Array.isArray(value)) report(where, `expected a list, got ${kindOf(value)}`);
    else value.forEach((one, i) => check(one, `${where}[${i}]`, report));
  };
}

/** An object with any keys, each of whose values passes. */
function record(check: Check): Check {
  return (value, where, report) => {
    if (!isRecord(value)) report(where, `expected an object, got ${kindOf(value)}`);
    else for (const [key, one] of Object.entries(value)) check(one, `${where}.${key}`, report);
  };
}

/** An object with these fields and no others. */
function fields(checks: Readonly<Record<string, Check>>): Check {
  return (value, where, report) => {
    if (!isRecord(value)) return report(where, `expected an object, got ${kindOf(value)}`);
    const place = (name: string) => where === "top" ? name : `${where}.${name}`;
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(checks, name)) report(place(name), "there is no such field");
    }
    for (const [name, check] of Object.entries(checks)) check(value[name], place(name), report);
  };
}

/** Objects whose fields depend on their `kind`. */
function kinds(by: Readonly<Record<string, Readonly<Record<string, Check>>>>): Check {
  const checks = new Map(Object.entries(by).map(([kind, own]) => [kind, fields({ kind: text, ...own })]));
  return (value, where, report) => {
    const kind = isRecord(value) ? value.kind : undefined;
    const check = isText(kind) ? checks.get(kind as string) : undefined;
    if (check !== undefined) return check(value, where, report);
    report(where, `its kind is ${kindOf(kind)}, expected one of ${[...checks.keys()].join(", ")}`);
  };
}

const named = { name: optional(text), units: positive };
const checkFile = fields({
  format: is("`retort-circuit`", (value) => value === "retort-circuit"),
  version: positive,
  variables: list(kinds({
    categorical: { name: text, states: positive },
    count: { name: text },
    real: { name: text },
    external: { name: text },
  })),
  nodes: list(kinds({
    input: {
      ...named,
      variable: index,
      family: text,
      settings: optional(record(setting)),
      parameter: optional(text),
    },
    product: { ...named, children: list(index) },
    sum: { ...named, children: list(index), groups: optional(positive), parameter: text },
  })),
  root: index,
  notes: optional(record(text)),
});

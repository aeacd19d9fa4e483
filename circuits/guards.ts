import { CircuitError } from "./errors.ts";

/** The maximum array length. */
const MOST = 2 ** 32 - 1;

/** Rejects anything but an integer from `from` to `to`. @throws {CircuitError} naming `what` */
export function requireWhole(what: string, x: number, from: number, to = MOST): void {
  if (Number.isInteger(x) && x >= from && x <= to) return;
  throw new CircuitError(
    "circuit/argument",
    `${what} is ${x}, expected a whole number ${to === MOST ? `from ${from}` : `from ${from} to ${to}`}`,
  );
}

/** Rejects anything but a finite number from `from` to `to`. @throws {CircuitError} naming `what` */
export function requireNumber(what: string, x: number, from: number, to = Infinity): void {
  if (Number.isFinite(x) && x >= from && x <= to) return;
  throw new CircuitError(
    "circuit/argument",
    `${what} is ${x}, expected a number ${to === Infinity ? `from ${from}` : `from ${from} to ${to}`}`,
  );
}

/** Rejects an invalid seed. @throws {CircuitError} */
export function requireSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new CircuitError(
    "circuit/argument",
    `the seed is ${seed}, expected a whole number from 0 to 2^53 - 1`,
  );
}

/** Rejects shapes with more numbers than an array can hold. @throws {CircuitError} naming `what` */
export function requireShape(what: string, shape: readonly number[]): void {
  requireList(`the shape of ${what}`, shape);
  for (const size of shape) requireWhole(`a size of ${what}`, size, 0);
  const size = shape.reduce((a, b) => a * b, 1);
  if (size <= MOST) return;
  throw new CircuitError(
    "circuit/argument",
    `${what} of the shape [${shape.join(", ")}] would hold ${size} numbers: too many`,
  );
}

/** Rejects anything but a list. @throws {CircuitError} naming `what` */
export function requireList(what: string, x: unknown): void {
  if (Array.isArray(x) || ArrayBuffer.isView(x)) return;
  throw new CircuitError("circuit/argument", `${what}: expected a list, got ${kindOf(x)}`);
}

/** Rejects anything but an object with these properties. @throws {CircuitError} naming `what` */
export function requireObject(what: string, x: unknown, properties: readonly string[] = []): void {
  if (typeof x === "object" && x !== null && properties.every((name) => name in x)) return;
  const wanted = properties.length === 0 ? "an object" : `an object with \`${properties.join("`, `")}\``;
  throw new CircuitError("circuit/argument", `${what}: expected ${wanted}, got ${kindOf(x)}`);
}

/** Rejects anything but a circuit. @throws {CircuitError} */
export function requireCircuit(x: unknown): void {
  requireObject("the circuit", x, ["nodes", "variables", "parameters"]);
}

/** Rejects anything but an evaluator. @throws {CircuitError} */
export function requireEvaluator(x: unknown): void {
  requireObject("the evaluator", x, ["circuit", "logLikelihoods"]);
}

/** Rejects anything but samples. @throws {CircuitError} */
export function requireSamples(x: unknown): void {
  requireObject("the samples", x, ["count", "variables", "values"]);
}

/** Rejects anything but a string. @throws {CircuitError} naming `what` */
export function requireText(what: string, x: unknown): void {
  if (typeof x === "string") return;
  throw new CircuitError("circuit/argument", `${what}: expected a string, got ${kindOf(x)}`);
}

/** Rejects objects whose `kind` is none of the given kinds. @throws {CircuitError} naming `what` */
export function requireKind(what: string, x: unknown, kinds: readonly string[]): void {
  const kind = typeof x === "object" && x !== null && "kind" in x ? x.kind : undefined;
  if (kinds.includes(kind as string)) return;
  throw new CircuitError(
    "circuit/argument",
    `the kind of ${what} is ${kindOf(kind)}, expected one of ${kinds.map((name) => `"${name}"`).join(", ")}`,
  );
}

/** Describes an unexpected value in a word or two. */
export function kindOf(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (typeof x === "string") {
    return `the string ${JSON.stringify(x.length > 40 ? `${x.slice(0, 40)}...` : x)}`;
  }
  if (typeof x === "number" || typeof x === "boolean") return `the ${typeof x} ${x}`;
  return Array.isArray(x) ? "a list" : `${typeof x === "object" ? "an" : "a"} ${typeof x}`;
}

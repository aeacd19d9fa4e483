/**
 * Property tests. They draw the same values in every run; `RETORT_SEED=NUMBER` draws others. What once failed a
 * property is kept in tests/corpus and tried first.
 */
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ROOT } from "./root.ts";

// By default lists have ten items at most, whatever `maxLength` says.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

/** The seed of all property tests unless `RETORT_SEED` says otherwise. */
const SEED = 2203;

/** Where a property stands: the file and the title of its test, and which property of the test it is. */
export interface PropertyPlace {
  /** Path relative to the project. */
  readonly file: string;
  /** The titles of the test and its steps. */
  readonly test: readonly string[];
  /** 1 for the first property of a test. */
  readonly property: number;
}

/** What once failed a property: the values, or where they cannot be written as JSON the draw that gave them. */
export type Counterexample =
  & { readonly test: string; readonly property: number; readonly why: string }
  & ({ readonly values: readonly unknown[] } | { readonly seed: number; readonly path: string });

/** How a property is tested. */
export type PropertyOptions = Omit<fc.Parameters<unknown>, "seed" | "path" | "examples" | "reporter">;

const counts = new WeakMap<Deno.TestContext, number>();

/**
 * Tests that a property holds: for what is kept of it in tests/corpus, then for drawn values.
 *
 * @throws Error with the smallest counterexample found, the command that finds it again, and the line to keep it by.
 */
export function holds<T>(test: Deno.TestContext, property: fc.IProperty<T>, options?: PropertyOptions): void;
export function holds<T>(
  test: Deno.TestContext,
  property: fc.IAsyncProperty<T>,
  options?: PropertyOptions,
): Promise<void>;
export function holds<T>(
  test: Deno.TestContext,
  property: fc.IRawProperty<T>,
  options: PropertyOptions = {},
): void | Promise<void> {
  const titles: string[] = [];
  for (let at: Deno.TestContext | undefined = test; at !== undefined; at = at.parent) titles.unshift(at.name);
  counts.set(test, (counts.get(test) ?? 0) + 1);
  const file = relative(ROOT, fileURLToPath(test.origin));
  const place = { file, test: titles, property: counts.get(test)! };
  return tryOut(place, corpusOf(file), property, options);
}

/** As `holds`, with everything said. */
export function tryOut<T>(
  place: PropertyPlace,
  corpus: readonly Counterexample[],
  property: fc.IRawProperty<T>,
  options: PropertyOptions = {},
): void | Promise<void> {
  const title = place.test.join(" > ");
  const own = corpus.filter((one) => one.test === title && one.property === place.property);
  const examples = own.flatMap((one) => "values" in one ? [one.values.map(decoded)] : []);
  const rounds: fc.Parameters<unknown>[] = [
    ...(examples.length === 0 ? [] : [{ examples, numRuns: examples.length }]),
    ...own.flatMap((one) => "path" in one ? [{ seed: one.seed, path: one.path }] : []),
    {},
  ];
  const parameters = rounds.map((round) => ({ seed: seedOfAll(), ...options, ...round }) as fc.Parameters<T>);
  const look = (details: fc.RunDetails<T>) => {
    if (details.failed) throw new Error(failureText(place, details), { cause: details.errorInstance });
  };
  if (property.isAsync()) {
    return (async () => {
      for (const one of parameters) look(await fc.check(property as fc.IAsyncProperty<T>, one));
    })();
  }
  for (const one of parameters) look(fc.check(property as fc.IProperty<T>, one));
}

/** The seed that `RETORT_SEED` gives, or the seed of all runs. */
function seedOfAll(): number {
  const text = process.env.RETORT_SEED;
  if (text === undefined || text === "") return SEED;
  const seed = Number(text);
  if (!Number.isInteger(seed) || Math.abs(seed) > 2 ** 31) {
    throw new Error(`RETORT_SEED is "${text}"; a seed is a whole number of up to 31 bits`);
  }
  return seed;
}

function failureText<T>(place: PropertyPlace, details: fc.RunDetails<T>): string {
  const title = place.test.join(" > ");
  const head = { test: title, property: place.property, why: "what was wrong" };
  let values: unknown[] | undefined;
  try {
    values = (details.counterexample as unknown[]).map(encoded);
  } catch {
    // Kept as a draw.
  }
  const entry = values === undefined
    ? { ...head, seed: details.seed, path: details.counterexamplePath }
    : { ...head, values };
  const quoted = place.test[0]!.replaceAll("'", `'\\''`);
  return `${fc.defaultReportMessage(details)}\n\n` +
    `Again: RETORT_SEED=${details.seed} deno test --allow-all --no-check ${place.file} --filter '${quoted}'\n` +
    `Once the fault is mended, keep the counterexample in ${corpusFile(place.file)}:\n${
      JSON.stringify(entry)
    }`;
}

/** The file with the counterexamples of a test file, relative to the project. */
function corpusFile(file: string): string {
  return `tests/corpus/${file.replace(/^tests\//, "").replace(/(_test)?\.ts$/, ".json")}`;
}

function corpusOf(file: string): Counterexample[] {
  try {
    return JSON.parse(readFileSync(`${ROOT}/${corpusFile(file)}`, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const BY_NAME: Record<string, unknown> = {
  NaN,
  Infinity,
  "-Infinity": -Infinity,
  "-0": -0,
  undefined: undefined,
};

/** A value as JSON; what JSON has no form for is an object with the property `$`. */
export function encoded(value: unknown): unknown {
  for (const [name, special] of Object.entries(BY_NAME)) if (Object.is(value, special)) return { $: name };
  if (typeof value === "bigint") return { $: "bigint", text: String(value) };
  if (typeof value === "string" && !value.isWellFormed()) {
    return { $: "units", of: Array.from({ length: value.length }, (_, i) => value.charCodeAt(i)) };
  }
  if (value instanceof Uint8Array) return { $: "bytes", of: [...value] };
  if (value === null || ["boolean", "number", "string"].includes(typeof value)) return value;
  if (Array.isArray(value)) return Array.from(value, encoded);
  if (
    typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype &&
    !Object.hasOwn(value, "$")
  ) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, encoded(one)]));
  }
  throw new Error("no JSON stands for this value");
}

/** The value that `encoded` wrote. */
export function decoded(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(decoded);
  if (typeof json !== "object" || json === null) return json;
  const { $, text, of } = json as { $?: string; text?: string; of?: number[] };
  if ($ === "bigint") return BigInt(text!);
  if ($ === "units") return String.fromCharCode(...of!);
  if ($ === "bytes") return Uint8Array.from(of!);
  if ($ !== undefined) return BY_NAME[$];
  return Object.fromEntries(Object.entries(json).map(([key, one]) => [key, decoded(one)]));
}

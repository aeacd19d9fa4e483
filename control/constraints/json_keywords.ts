/** What the keywords of a JSON schema say, and which are refused. */
import { CallError, messageOf, textOf } from "../../foundation/errors.ts";
import { doubleAbove, type NumberLimits } from "./json_numbers.ts";

/** Keywords that change no meaning, or that are read where the type is. */
const NOTES = new Set([
  "$schema",
  "$id",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
]);
const OF_NUMBERS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
/** A name of `type`. */
export type SchemaType = "object" | "array" | "string" | "integer" | "number" | "boolean" | "null";
/** Keywords that stand beside each type. */
export const KEYWORDS: Readonly<Record<SchemaType, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format", "contentEncoding"],
  integer: OF_NUMBERS,
  number: OF_NUMBERS,
  boolean: [],
  null: [],
};
/** A schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema as JSON. @throws {CallError} where it holds what JSON lacks */
export function schemaText(schema: unknown): string {
  const isJson = (x: unknown) => typeof x === "number" ? Number.isFinite(x) : typeof x !== "bigint";
  try {
    return JSON.stringify(
      schema,
      (name, value) =>
        isJson(value) ? value : refuseSchema(`has ${textOf(value)} as ${textOf(name)}, which JSON lacks`),
    ) ?? refuseSchema(`is ${textOf(schema)}, expected an object`);
  } catch (error) {
    if (error instanceof CallError) throw error;
    return refuseSchema(`is no JSON: ${messageOf(error)}`);
  }
}

/**
 * The types that a schema at a place allows, of those (`among`) that are allowed where it stands; undefined if neither names
 * any.
 *
 * @throws {CallError} for names of other types, and where none is left
 */
export function typesOf(
  { type }: JsonSchema,
  at: string,
  among: readonly SchemaType[] | undefined,
): readonly SchemaType[] | undefined {
  if (type === undefined) return among;
  const types = (Array.isArray(type) ? type as unknown[] : [type]).map((name) =>
    typeof name === "string" && Object.hasOwn(KEYWORDS, name)
      ? name as SchemaType
      : refuseSchema(`has the type ${textOf(name)} at ${at}, expected ${Object.keys(KEYWORDS).join(", ")}`)
  );
  const has = (name: SchemaType) => among === undefined || among.includes(name);
  // An integer is a number, so that of numbers among integers the integers are left.
  const kept = types.flatMap((name): readonly SchemaType[] =>
    has(name) || name === "integer" && has("number")
      ? [name]
      : name === "number" && has("integer")
      ? ["integer"]
      : []
  );
  return kept.length > 0 ? kept : refuseSchema(`has no type at ${at} that is allowed there`);
}

/** Whether a value is of one of these types; of any, without types. */
export function isOfType(value: unknown, types: readonly SchemaType[] | undefined): boolean {
  const own = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return types === undefined ||
    types.some((type) => type === own || type === "integer" && Number.isInteger(value));
}

/**
 * The keys by which a reference leads from the root to its place. Source: RFC 6901, sections 4 and 6.
 *
 * @throws {CallError} for a `%` that begins no character
 */
export function referenceKeys(reference: string): string[] {
  try {
    return reference.split("/").slice(1)
      .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"));
  } catch (error) {
    return refuseSchema(`refers to ${textOf(reference)}: ${messageOf(error)}`);
  }
}

/** What numbers a schema at a place allows. @throws {CallError} for bounds and steps that are none */
export function numberLimits(type: "integer" | "number", schema: JsonSchema, at: string): NumberLimits {
  const of = (name: string): number | undefined => {
    const x = schema[name];
    return x === undefined || typeof x === "number" && Number.isFinite(x)
      ? x
      : refuseSchema(`has the \`${name}\` ${textOf(x)} at ${at}, expected a number`);
  };
  const above = of("exclusiveMinimum"), below = of("exclusiveMaximum");
  const step = of("multipleOf");
  const decimals = step === undefined ? Infinity : STEPS.indexOf(step);
  if (decimals < 0) {
    refuseSchema(
      `has \`multipleOf\` ${step} at ${at}: only ${STEPS.slice(0, 3).join(", ")}, … can be followed`,
    );
  }
  return {
    decimals: type === "integer" ? 0 : decimals,
    least: Math.max(of("minimum") ?? -Infinity, above === undefined ? -Infinity : doubleAbove(above)),
    most: Math.min(of("maximum") ?? Infinity, below === undefined ? Infinity : -doubleAbove(-below)),
  };
}

/** Of which numbers all multiples are those of so many digits after the point: 1, 0.1, 0.01, … */
const STEPS = Array.from({ length: 16 }, (_, decimals) => Number(`1e-${decimals}`));

/** Fewest and most of something. @throws {CallError} where they are no counts */
export function countLimits(least: unknown, most: unknown, where: string): [number, number] {
  const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  if (!isCount(least) || !(most === Infinity || isCount(most)) || (least as number) > (most as number)) {
    return refuseSchema(`has the limits ${textOf(least)} to ${textOf(most)} at ${where}`);
  }
  return [least as number, most as number];
}

/** A list at a place. @throws {CallError} for anything else */
export function listAt(value: unknown, at: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuseSchema(`has ${textOf(value)} at ${at}, expected a list`);
}

/** Refuses keywords that are neither known here nor change no meaning. @throws {CallError} */
export function onlyKnown(schema: JsonSchema, known: readonly string[], at: string): void {
  for (const name of Object.keys(schema)) {
    if (known.includes(name) || NOTES.has(name)) continue;
    refuseSchema(`has \`${name}\` at ${at}, which cannot be followed`);
  }
}

/** Refuses a schema: `problem` follows its name. @throws {CallError} */
export function refuseSchema(problem: string): never {
  throw new CallError("control/schema", `the JSON schema ${problem}`, {
    hint:
      "Understood: type, properties, required, items, prefixItems, minItems, maxItems, minLength, maxLength, pattern, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf (1, 0.1, 0.01, …), enum, const, anyOf, oneOf, and $ref without recursion.",
  });
}

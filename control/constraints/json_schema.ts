import { CallError, messageOf, textOf } from "../../foundation/errors.ts";
import { shortestText } from "../automata/automaton.ts";
import type { Constraint } from "./constraint.ts";
import { insideOfString } from "./json_pattern.ts";
import { all, not } from "./logic.ts";
import { matches } from "./matches.ts";

/** Characters of a string in JSON, one after the other: `JSON.stringify` escapes what must be escaped. */
const CHARACTER = String.raw`(?:[^"\\\u0000-\u001f]|\\["\\\/bfnrt]|\\u[0-9a-f]{4})`;
const INTEGER = "-?(?:0|[1-9][0-9]*)";
const NUMBER = `${INTEGER}(?:\\.[0-9]+)?(?:[eE][+\\-]?[0-9]+)?`;

/** Expressions of the formats of strings that are understood. */
const FORMATS: Readonly<Record<string, string>> = {
  "date": "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])",
  "time": "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?(?:Z|[+\\-][0-2][0-9]:[0-5][0-9])",
  "date-time": "",
  "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
};

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
]);
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format"],
  integer: [],
  number: [],
  boolean: [],
  null: [],
};
/** What zod writes to say that integers are safe ones; more digits than a double holds are accepted. */
const SAFE = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };

type Schema = Readonly<Record<string, unknown>>;

/**
 * The text is JSON of this schema, as `JSON.stringify` writes it: without white space, properties in the order of the
 * schema, and none but these. `z.toJSONSchema` makes a schema of zod's types.
 *
 * There is no library that makes automata of schemas; the expressions here become automata by `refa`. Understood are `type`, `properties`, `required`, `items`, `prefixItems`, `minItems`, `maxItems`, `minLength`,
 * `maxLength`, `pattern`, `format` (date, time, date-time, uuid), `enum`, `const`, `anyOf`, `oneOf` (as `anyOf`) and
 * `$ref` within the schema, without recursion.
 *
 * @throws {CallError} naming the place of what is not understood
 */
export function jsonSchema(schema: object): Constraint {
  const source = new Patterns(schema as Schema).of(schema, "#");
  return {
    ...matches(new RegExp(`^(?:${source})$`, "u")),
    label: `jsonSchema(${clip(JSON.stringify(schema))})`,
  };
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Regular expressions of the parts of a schema. */
class Patterns {
  readonly #root: Schema;
  readonly #open = new Set<string>();

  constructor(root: Schema) {
    this.#root = root;
  }

  /** The source of an expression for what a schema at a place allows. */
  of(schema: unknown, at: string): string {
    if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
      return fail(`is ${textOf(schema)} at ${at}, expected an object`);
    }
    const own = schema as Schema;
    if ("$ref" in own) {
      onlyKnown(own, ["$ref"], at);
      return this.#reference(own.$ref, at);
    }
    if ("const" in own || "enum" in own) {
      onlyKnown(own, ["const", "enum", "type"], at);
      const values = "enum" in own ? listAt(own.enum, `${at}/enum`) : [own.const];
      const isConst = (value: unknown) =>
        !("const" in own) || JSON.stringify(value) === JSON.stringify(own.const);
      const kept = values.filter((value) => isConst(value) && isOfType(value, own.type));
      return kept.length === 0 ? fail(`has no value at ${at}: none is of its type`) : either(kept.map(exact));
    }
    for (const name of ["anyOf", "oneOf"]) {
      if (name in own) {
        onlyKnown(own, [name, "type"], at);
        return either(
          listAt(own[name], `${at}/${name}`).map((part, i) => this.of(part, `${at}/${name}/${i}`)),
        );
      }
    }
    const types = Array.isArray(own.type) ? own.type as unknown[] : [own.type];
    const known = types.flatMap((type) => OF_TYPE[String(type)] ?? []);
    onlyKnown(own, ["type", ...known], at);
    return either(types.map((type) => this.#ofType(type, own, at)));
  }

  #reference(name: unknown, at: string): string {
    if (typeof name !== "string" || !/^#(?:\/|$)/.test(name)) {
      return fail(`refers to ${textOf(name)} at ${at}, expected a place within the schema: "#/$defs/…"`);
    }
    if (this.#open.has(name)) {
      return fail(`holds itself: ${name} at ${at}; no finite automaton follows recursion`);
    }
    const target = name.split("/").slice(1).reduce<unknown>(
      (part, key) =>
        (part as Schema | undefined)?.[decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~")],
      this.#root,
    );
    this.#open.add(name);
    const source = this.of(target, name);
    this.#open.delete(name);
    return source;
  }

  #ofType(type: unknown, schema: Schema, at: string): string {
    switch (type) {
      case "null":
        return "null";
      case "boolean":
        return "(?:true|false)";
      case "integer":
        return INTEGER;
      case "number":
        return NUMBER;
      case "string":
        return stringPattern(schema, at);
      case "array":
        return this.#array(schema, at);
      case "object":
        return this.#object(schema, at);
      default:
        return fail(`has the type ${textOf(type)} at ${at}, expected ${Object.keys(OF_TYPE).join(", ")}`);
    }
  }

  #array(schema: Schema, at: string): string {
    const { items, prefixItems, minItems, maxItems = Infinity } = schema;
    const first = prefixItems === undefined
      ? []
      : listAt(prefixItems, `${at}/prefixItems`).map((part, i) => this.of(part, `${at}/prefixItems/${i}`));
    if (first.length > 0) {
      // As many as there are: fewer and more are allowed as well, and never written.
      const [least, most] = limits(minItems ?? 0, maxItems, `${at} (minItems, maxItems)`);
      if (least <= first.length && first.length <= most) return `\\[${first.join(",")}\\]`;
      return fail(`has ${first.length} prefixItems at ${at}, and from ${least} to ${most} items`);
    }
    if (items === undefined) return fail(`names no items of the array at ${at}`);
    const [least, most] = limits(minItems ?? 0, maxItems, `${at} (minItems, maxItems)`);
    if (most === 0) return "\\[\\]";
    const item = this.of(items, `${at}/items`);
    const some = `${item}(?:,${item})${times(Math.max(0, least - 1), most - 1)}`;
    return `\\[${least === 0 ? `(?:${some})?` : some}\\]`;
  }

  #object({ properties, required = [] }: Schema, at: string): string {
    if (typeof properties !== "object" || properties === null) {
      return fail(`names no properties of the object at ${at}`);
    }
    const needed = new Set(listAt(required, `${at}/required`));
    for (const name of needed) {
      if (!Object.hasOwn(properties, String(name))) {
        fail(`requires ${textOf(name)} at ${at}, and names no such property`);
      }
    }
    const all = Object.entries(properties).map(([name, part]) => ({
      source: `${exact(name)}:${this.of(part, `${at}/properties/${name}`)}`,
      isNeeded: needed.has(name),
    }));
    /** What may follow from property `i` on, after one (`,` first) or as the first. */
    const after = (i: number): string =>
      all.slice(i).map(({ source, isNeeded }) => isNeeded ? `,${source}` : `(?:,${source})?`).join("");
    const ways: string[] = [];
    for (const [i, { source, isNeeded }] of all.entries()) {
      ways.push(source + after(i + 1));
      if (isNeeded) return `\\{${either(ways)}\\}`;
    }
    return `\\{${either([...ways, ""])}\\}`;
  }
}

function stringPattern({ pattern, format, minLength, maxLength }: Schema, at: string): string {
  const limit = `${CHARACTER}${
    times(...limits(minLength ?? 0, maxLength ?? Infinity, `${at} (minLength, maxLength)`))
  }`;
  const inner = pattern !== undefined
    // A format beside a pattern is the name of the pattern.
    ? patternSource(pattern, at)
    : format !== undefined
    ? formatSource(format, at)
    : undefined;
  if (inner === undefined) return `"${limit}"`;
  if (minLength !== undefined || maxLength !== undefined) {
    // Two expressions at once would need look-ahead, which is slow: one must imply the other.
    const whole = (source: string) => matches(new RegExp(`^(?:${source})$`, "u"));
    if (shortestText(all(whole(inner), not(whole(limit))).automaton) < Infinity) {
      return fail(
        `has limits of length at ${at} that its ${pattern === undefined ? "format" : "pattern"} exceeds: ` +
          "write them into the pattern, as in ^[a-z]{1,20}$",
      );
    }
  }
  return `"(?:${inner})"`;
}

function patternSource(pattern: unknown, at: string): string {
  if (typeof pattern !== "string") {
    return fail(`has the pattern ${textOf(pattern)} at ${at}, expected a text`);
  }
  try {
    return insideOfString(pattern, `${CHARACTER}*`);
  } catch (error) {
    return fail(`has the pattern ${textOf(pattern)} at ${at}: ${messageOf(error)}`);
  }
}

function formatSource(format: unknown, at: string): string {
  const source = format === "date-time" ? `${FORMATS.date}T${FORMATS.time}` : FORMATS[String(format)];
  return source ??
    fail(`has the format ${textOf(format)} at ${at}, expected ${Object.keys(FORMATS).join(", ")}`);
}

/** Whether a value is of one of these types; of any, without types. */
function isOfType(value: unknown, type: unknown): boolean {
  if (type === undefined) return true;
  const own = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return (Array.isArray(type) ? type as unknown[] : [type])
    .some((one) => one === own || one === "integer" && Number.isInteger(value));
}

/** An expression for one value, as `JSON.stringify` writes it. */
function exact(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\^$\\.*+?()[\]{}|\/]/g, "\\$&");
}

function either(sources: readonly string[]): string {
  return sources.length === 1 ? sources[0]! : `(?:${sources.join("|")})`;
}

function times(least: number, most: number): string {
  return most === Infinity ? least === 0 ? "*" : `{${least},}` : `{${least},${most}}`;
}

function limits(least: unknown, most: unknown, where: string): [number, number] {
  const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  if (!isCount(least) || !(most === Infinity || isCount(most)) || (least as number) > (most as number)) {
    return fail(`has the limits ${textOf(least)} to ${textOf(most)} at ${where}`);
  }
  return [least as number, most as number];
}

function listAt(value: unknown, at: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(`has ${textOf(value)} at ${at}, expected a list`);
}

function onlyKnown(schema: Schema, known: readonly string[], at: string): void {
  for (const [name, value] of Object.entries(schema)) {
    if (known.includes(name) || NOTES.has(name)) continue;
    if (name in SAFE && schema.type === "integer" && value === SAFE[name as keyof typeof SAFE]) continue;
    fail(`has \`${name}\` at ${at}, which cannot be followed`);
  }
}

function fail(problem: string): never {
  throw new CallError("control/schema", `the JSON schema ${problem}`, {
    hint:
      "Understood: type, properties, required, items, prefixItems, minItems, maxItems, minLength, maxLength, pattern, format, enum, const, anyOf, oneOf, and $ref without recursion.",
  });
}

import { CallError, textOf } from "../../foundation/errors.ts";
import type { Constraint } from "./constraint.ts";
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
 * Understood are `type`, `properties`, `required`, `items`, `prefixItems`, `minItems`, `maxItems`, `minLength`,
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
    if ("$ref" in own) return this.#reference(own.$ref, at);
    if ("const" in own) return exact(own.const);
    if ("enum" in own) return either(listAt(own.enum, `${at}/enum`).map(exact));
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
    if (first.length > 0) return `\\[${first.join(",")}\\]`;
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
  if (pattern !== undefined) {
    const source = String(pattern);
    const from = source.startsWith("^") ? "" : `${CHARACTER}*`;
    const to = source.endsWith("$") && !source.endsWith("\\$") ? "" : `${CHARACTER}*`;
    return `"${from}(?:${source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "")})${to}"`;
  }
  if (format !== undefined) {
    const source = format === "date-time" ? `${FORMATS.date}T${FORMATS.time}` : FORMATS[String(format)];
    if (source === undefined) {
      return fail(`has the format ${textOf(format)} at ${at}, expected ${Object.keys(FORMATS).join(", ")}`);
    }
    return `"${source}"`;
  }
  return `"${CHARACTER}${
    times(...limits(minLength ?? 0, maxLength ?? Infinity, `${at} (minLength, maxLength)`))
  }"`;
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

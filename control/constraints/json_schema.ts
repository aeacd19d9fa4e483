import { CallError, messageOf, textOf } from "../../foundation/errors.ts";
import { shortestText } from "../automata/automaton.ts";
import { isRecord } from "../guards.ts";
import { either, expression, literal, quantified, sequence } from "../regex/elements.ts";
import { type RegexElement, RegexNodes } from "../regex/nodes.ts";
import { spanning } from "../regex/whole.ts";
import type { Constraint } from "./constraint.ts";
import { doubleAbove, type NumberLimits, numberSource } from "./json_numbers.ts";
import { CHARACTER, insideOfString } from "./json_pattern.ts";
import { all, not } from "./logic.ts";

const MONTHS = [
  "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])",
  "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)",
  "02-(?:0[1-9]|1[0-9]|2[0-8])",
];
const LEAP_YEARS = "[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00";
const DATE = `(?:[0-9]{4}-(?:${MONTHS.join("|")})|(?:${LEAP_YEARS})-02-29)`;
const CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
const TIME = `${CLOCK}:[0-5][0-9](?:\\.[0-9]+)?(?:Z|[+\\-]${CLOCK})`;

/** Expressions of the formats of strings that are understood. */
const FORMATS: Readonly<Record<string, string>> = {
  "date": DATE,
  "time": TIME,
  "date-time": `${DATE}T${TIME}`,
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
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
]);
const OF_NUMBERS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format", "contentEncoding"],
  integer: OF_NUMBERS,
  number: OF_NUMBERS,
  boolean: [],
  null: [],
};
type Schema = Readonly<Record<string, unknown>>;

/**
 * The text is JSON of this schema, as `JSON.stringify` writes it: without white space, properties in the order of the
 * schema, and none but these; strings without halves of characters. `z.toJSONSchema` makes a schema of zod's types.
 *
 * There is no library that makes automata of schemas. Understood are `type`, `properties`, `required`, `items`,
 * `prefixItems`, `minItems`, `maxItems`, `minLength` and `maxLength` (in code points), `pattern`, `format` (date, time,
 * date-time, uuid; any beside a pattern), `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf` (1, 0.1,
 * 0.01, …: digits after the point), `enum`, `const`, `anyOf`, `oneOf` (as `anyOf`) and `$ref` within the schema, without
 * recursion.
 *
 * @throws {CallError} naming the place of what is not understood
 */
export function jsonSchema(schema: object): Constraint {
  if (isRecord(schema) && "_zod" in schema) {
    return fail("is a type of zod: pass `z.toJSONSchema(type)`");
  }
  const element = new Elements(schema as Schema).of(schema, "#");
  return {
    label: `jsonSchema(${clip(JSON.stringify(schema))})`,
    automaton: spanning(new RegexNodes([{ elements: [element] }])),
    texts: [],
  };
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Expressions for the parts of a schema. */
class Elements {
  readonly #root: Schema;
  readonly #numbers = new Map<string, RegexElement | undefined>();
  readonly #open = new Set<string>();

  constructor(root: Schema) {
    this.#root = root;
  }

  /** An expression for what a schema at a place allows. */
  of(schema: unknown, at: string): RegexElement {
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

  #reference(name: unknown, at: string): RegexElement {
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
    const element = this.of(target, name);
    this.#open.delete(name);
    return element;
  }

  #ofType(type: unknown, schema: Schema, at: string): RegexElement {
    switch (type) {
      case "null":
        return literal("null");
      case "boolean":
        return either([literal("true"), literal("false")]);
      case "integer":
      case "number":
        return this.#number(type, schema, at);
      case "string":
        return stringOf(schema, at);
      case "array":
        return this.#array(schema, at);
      case "object":
        return this.#object(schema, at);
      default:
        return fail(`has the type ${textOf(type)} at ${at}, expected ${Object.keys(OF_TYPE).join(", ")}`);
    }
  }

  #number(type: "integer" | "number", schema: Schema, at: string): RegexElement {
    const limits = numberLimits(type, schema, at);
    const key = Object.values(limits).join();
    if (!this.#numbers.has(key)) {
      const source = numberSource(limits);
      // An automaton for itself, so that what holds it need not follow its hundreds of ways side by side.
      this.#numbers.set(
        key,
        source === undefined ? undefined : {
          type: "Automaton",
          automaton: spanning(new RegexNodes([{ elements: [expression(source)] }])),
        },
      );
    }
    return this.#numbers.get(key) ?? fail(`has no ${type} at ${at}: its limits exclude each other`);
  }

  #array(schema: Schema, at: string): RegexElement {
    const { items, prefixItems, minItems, maxItems = Infinity } = schema;
    const first = prefixItems === undefined
      ? []
      : listAt(prefixItems, `${at}/prefixItems`).map((part, i) => this.of(part, `${at}/prefixItems/${i}`));
    if (first.length > 0) {
      // As many as there are: fewer and more are allowed as well, and never written.
      const [least, most] = limits(minItems ?? 0, maxItems, `${at} (minItems, maxItems)`);
      if (first.length < least || most < first.length) {
        return fail(`has ${first.length} prefixItems at ${at}, and from ${least} to ${most} items`);
      }
      return sequence(
        literal("["),
        ...first.flatMap((item, i) => i === 0 ? [item] : [literal(","), item]),
        literal("]"),
      );
    }
    if (items === undefined) return fail(`names no items of the array at ${at}`);
    const [least, most] = limits(minItems ?? 0, maxItems, `${at} (minItems, maxItems)`);
    if (most === 0) return literal("[]");
    const item = this.of(items, `${at}/items`);
    const some = sequence(item, quantified(sequence(literal(","), item), Math.max(0, least - 1), most - 1));
    return sequence(literal("["), least === 0 ? optional(some) : some, literal("]"));
  }

  #object({ properties, required = [] }: Schema, at: string): RegexElement {
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
      element: sequence(exact(name), literal(":"), this.of(part, `${at}/properties/${name}`)),
      isNeeded: needed.has(name),
    }));
    const some = all.length === 0 ? sequence() : inTurn(all);
    return sequence(literal("{"), all.some(({ isNeeded }) => isNeeded) ? some : optional(some), literal("}"));
  }
}

/** A property with its name. */
interface Property {
  readonly element: RegexElement;
  readonly isNeeded: boolean;
}

/** Some of these properties, one at least and all that are needed, with commas between them. Halves are joined, so that few are written down twice. */
function inTurn(properties: readonly Property[]): RegexElement {
  if (properties.length === 1) return properties[0]!.element;
  const half = properties.length >> 1, parts = [properties.slice(0, half), properties.slice(half)];
  const [first, last] = parts.map(inTurn) as [RegexElement, RegexElement], comma = literal(",");
  const [isFirst, isLast] = parts.map((part) => part.some(({ isNeeded }) => isNeeded));
  if (isFirst) return sequence(first, isLast ? sequence(comma, last) : optional(sequence(comma, last)));
  if (isLast) return sequence(optional(sequence(first, comma)), last);
  return either([sequence(first, optional(sequence(comma, last))), last]);
}

/** What numbers a schema allows. */
function numberLimits(type: "integer" | "number", schema: Schema, at: string): NumberLimits {
  const of = (name: string): number | undefined => {
    const x = schema[name];
    return x === undefined || typeof x === "number" && Number.isFinite(x)
      ? x
      : fail(`has the \`${name}\` ${textOf(x)} at ${at}, expected a number`);
  };
  const above = of("exclusiveMinimum"), below = of("exclusiveMaximum");
  const step = of("multipleOf");
  const decimals = step === undefined ? Infinity : STEPS.indexOf(step);
  if (decimals < 0) {
    fail(`has \`multipleOf\` ${step} at ${at}: only ${STEPS.slice(0, 3).join(", ")}, … can be followed`);
  }
  return {
    decimals: type === "integer" ? 0 : decimals,
    least: Math.max(of("minimum") ?? -Infinity, above === undefined ? -Infinity : doubleAbove(above)),
    most: Math.min(of("maximum") ?? Infinity, below === undefined ? Infinity : -doubleAbove(-below)),
  };
}

/** Of which numbers all multiples are those of so many digits after the point: 1, 0.1, 0.01, … */
const STEPS = Array.from({ length: 16 }, (_, decimals) => Number(`1e-${decimals}`));

function stringOf(
  { pattern, format, minLength, maxLength, contentEncoding }: Schema,
  at: string,
): RegexElement {
  const limit = quantified(
    CHARACTER,
    ...limits(minLength ?? 0, maxLength ?? Infinity, `${at} (minLength, maxLength)`),
  );
  const inner = pattern !== undefined
    // A format or an encoding beside a pattern is the name of the pattern.
    ? patternOf(pattern, at)
    : format !== undefined
    ? formatOf(format, at)
    : contentEncoding !== undefined
    ? fail(`has \`contentEncoding\` at ${at}, which cannot be followed without a pattern`)
    : undefined;
  if (inner !== undefined && (minLength !== undefined || maxLength !== undefined)) {
    // Two expressions at once would need look-ahead, which is slow: one must imply the other.
    const whole = (element: RegexElement) => ({
      label: "",
      automaton: spanning(new RegexNodes([{ elements: [element] }])),
      texts: [],
    });
    if (shortestText(all(whole(inner), not(whole(limit))).automaton) < Infinity) {
      return fail(
        `has limits of length at ${at} that its ${pattern === undefined ? "format" : "pattern"} exceeds: ` +
          "write them into the pattern, as in ^[a-z]{1,20}$",
      );
    }
  }
  return sequence(literal('"'), inner ?? limit, literal('"'));
}

function patternOf(pattern: unknown, at: string): RegexElement {
  if (typeof pattern !== "string") {
    return fail(`has the pattern ${textOf(pattern)} at ${at}, expected a text`);
  }
  try {
    return insideOfString(pattern, quantified(CHARACTER, 0, Infinity));
  } catch (error) {
    return fail(`has the pattern ${textOf(pattern)} at ${at}: ${messageOf(error)}`);
  }
}

function formatOf(format: unknown, at: string): RegexElement {
  const source = typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  return source === undefined
    ? fail(
      `has the format ${textOf(format)} at ${at}, expected ${Object.keys(FORMATS).join(", ")}, or a pattern`,
    )
    : expression(source);
}

/** Whether a value is of one of these types; of any, without types. */
function isOfType(value: unknown, type: unknown): boolean {
  if (type === undefined) return true;
  const own = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return (Array.isArray(type) ? type as unknown[] : [type])
    .some((one) => one === own || one === "integer" && Number.isInteger(value));
}

/** One value, as `JSON.stringify` writes it. */
function exact(value: unknown): RegexElement {
  return literal(JSON.stringify(value));
}

function optional(element: RegexElement): RegexElement {
  return quantified(element, 0, 1);
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
  for (const name of Object.keys(schema)) {
    if (known.includes(name) || NOTES.has(name)) continue;
    fail(`has \`${name}\` at ${at}, which cannot be followed`);
  }
}

function fail(problem: string): never {
  throw new CallError("control/schema", `the JSON schema ${problem}`, {
    hint:
      "Understood: type, properties, required, items, prefixItems, minItems, maxItems, minLength, maxLength, pattern, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf (1, 0.1, 0.01, …), enum, const, anyOf, oneOf, and $ref without recursion.",
  });
}

import { messageOf, textOf } from "../../foundation/errors.ts";
import { ACCEPT_NONE, complement, intersection, union } from "../automata/algebra.ts";
import { shortestText } from "../automata/automaton.ts";
import { isRecord } from "../guards.ts";
import { either, expression, literal, quantified, sequence } from "../regex/elements.ts";
import type { RegexElement } from "../regex/nodes.ts";
import { spanning } from "../regex/whole.ts";
import type { Constraint } from "./constraint.ts";
import { FORMATS } from "./json_formats.ts";
import {
  countLimits,
  isOfType,
  type JsonSchema,
  KEYWORDS,
  listAt,
  numberLimits,
  onlyKnown,
  referenceKeys,
  refuseSchema,
  schemaText,
  type SchemaType,
  typesOf,
} from "./json_keywords.ts";
import { numberSource } from "./json_numbers.ts";
import { anyInString, insideOfString } from "./json_pattern.ts";

/**
 * The text is JSON of this schema, as `JSON.stringify` writes it: without white space, properties in the order of the
 * schema, and none but these; strings without halves of characters. `z.toJSONSchema` makes a schema of zod's types.
 *
 * There is no library that makes automata of schemas. Understood are `type`, `properties`, `required`, `items`,
 * `prefixItems`, `minItems`, `maxItems`, `minLength` and `maxLength` (in code points), `pattern`, `format` (date, time,
 * date-time, uuid; any beside a pattern), `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf` (1, 0.1,
 * 0.01, …: digits after the point), `enum`, `const`, `anyOf` and `oneOf`, also beside `type`, and `$ref` within the schema,
 * without recursion.
 *
 * @throws {CallError} naming the place of what is not understood
 */
export function jsonSchema(schema: object): Constraint {
  if (isRecord(schema) && "_zod" in schema) {
    return refuseSchema("is a type of zod: pass `z.toJSONSchema(type)`");
  }
  const text = schemaText(schema);
  const own = JSON.parse(text) as JsonSchema;
  return {
    label: `jsonSchema(${clip(text)})`,
    automaton: spanning(new Elements(own).of(own, "#")),
    texts: [],
  };
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Expressions for the parts of a schema. */
class Elements {
  readonly #root: JsonSchema;
  readonly #numbers = new Map<string, RegexElement | undefined>();
  readonly #open = new Set<string>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  /** An expression for what a schema at a place allows. `among`: the types that are allowed where it stands; all if omitted. */
  of(schema: unknown, at: string, among?: readonly SchemaType[]): RegexElement {
    if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
      return refuseSchema(`is ${textOf(schema)} at ${at}, expected an object`);
    }
    const own = schema as JsonSchema;
    if ("$id" in own && own !== this.#root) {
      return refuseSchema(
        `has an \`$id\` at ${at}, which makes it a root of its own that \`$ref\` is relative to`,
      );
    }
    if ("$ref" in own) {
      onlyKnown(own, ["$ref"], at);
      return this.#reference(own.$ref, at, among);
    }
    const types = typesOf(own, at, among);
    if ("const" in own || "enum" in own) {
      onlyKnown(own, ["const", "enum", "type"], at);
      const values = "enum" in own ? listAt(own.enum, `${at}/enum`) : [own.const];
      const isConst = (value: unknown) =>
        !("const" in own) || JSON.stringify(value) === JSON.stringify(own.const);
      const kept = values.filter((value) => isConst(value) && isOfType(value, types));
      return kept.length === 0
        ? refuseSchema(`has no value at ${at}: none is of its type`)
        : either(kept.map(exact));
    }
    for (const name of ["anyOf", "oneOf"] as const) {
      if (!(name in own)) continue;
      onlyKnown(own, [name, "type"], at);
      const parts = listAt(own[name], `${at}/${name}`)
        .map((part, i) => this.of(part, `${at}/${name}/${i}`, types));
      if (parts.length === 0) return refuseSchema(`has nothing to choose from at ${at}/${name}`);
      return name === "anyOf" ? either(parts) : one(parts);
    }
    onlyKnown(own, ["type", ...(types ?? []).flatMap((type) => KEYWORDS[type])], at);
    if (types === undefined) {
      return refuseSchema(`has no type at ${at}, expected ${Object.keys(KEYWORDS).join(", ")}`);
    }
    return either(types.map((type) => this.#ofType(type, own, at)));
  }

  #reference(name: unknown, at: string, among?: readonly SchemaType[]): RegexElement {
    if (typeof name !== "string" || !/^#(?:\/|$)/.test(name)) {
      return refuseSchema(
        `refers to ${textOf(name)} at ${at}, expected a place within the schema: "#/$defs/…"`,
      );
    }
    if (this.#open.has(name)) {
      return refuseSchema(`holds itself: ${name} at ${at}; no finite automaton follows recursion`);
    }
    let target: unknown = this.#root;
    for (const key of referenceKeys(name)) {
      target = isRecord(target) && Object.hasOwn(target, key) ? target[key] : undefined;
    }
    if (target === undefined) {
      return refuseSchema(`refers to ${textOf(name)} at ${at}, where there is nothing`);
    }
    this.#open.add(name);
    const element = this.of(target, name, among);
    this.#open.delete(name);
    return element;
  }

  #ofType(type: SchemaType, schema: JsonSchema, at: string): RegexElement {
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
    }
  }

  #number(type: "integer" | "number", schema: JsonSchema, at: string): RegexElement {
    const limits = numberLimits(type, schema, at);
    const key = Object.values(limits).join();
    if (!this.#numbers.has(key)) {
      const source = numberSource(limits);
      // An automaton for itself, so that what holds it need not follow its hundreds of ways side by side.
      this.#numbers.set(
        key,
        source === undefined ? undefined : { type: "Automaton", automaton: spanning(expression(source)) },
      );
    }
    return this.#numbers.get(key) ?? refuseSchema(`has no ${type} at ${at}: its limits exclude each other`);
  }

  #array(
    { items, prefixItems = [], minItems = 0, maxItems = Infinity }: JsonSchema,
    at: string,
  ): RegexElement {
    const [least, most] = countLimits(minItems, maxItems, `${at} (minItems, maxItems)`);
    const first = listAt(prefixItems, `${at}/prefixItems`)
      .map((part, i) => this.of(part, `${at}/prefixItems/${i}`));
    if (first.length > 0) {
      // As many as there are: fewer and more are allowed as well, and never written.
      if (first.length < least || most < first.length) {
        return refuseSchema(`has ${first.length} prefixItems at ${at}, and from ${least} to ${most} items`);
      }
      return sequence(
        literal("["),
        ...first.flatMap((item, i) => i === 0 ? [item] : [literal(","), item]),
        literal("]"),
      );
    }
    if (most === 0) return literal("[]");
    if (items === undefined) return refuseSchema(`names no items of the array at ${at}`);
    const item = this.of(items, `${at}/items`);
    const some = sequence(item, quantified(sequence(literal(","), item), Math.max(0, least - 1), most - 1));
    return sequence(literal("["), least === 0 ? optional(some) : some, literal("]"));
  }

  #object({ properties, required = [] }: JsonSchema, at: string): RegexElement {
    if (typeof properties !== "object" || properties === null) {
      return refuseSchema(`names no properties of the object at ${at}`);
    }
    const needed = new Set(listAt(required, `${at}/required`));
    for (const name of needed) {
      if (typeof name !== "string" || !Object.hasOwn(properties, name)) {
        refuseSchema(`requires ${textOf(name)} at ${at}, and names no such property`);
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

function stringOf(
  { pattern, format, minLength, maxLength, contentEncoding }: JsonSchema,
  at: string,
): RegexElement {
  const limit = quantified(
    anyInString(),
    ...countLimits(minLength ?? 0, maxLength ?? Infinity, `${at} (minLength, maxLength)`),
  );
  const inner = pattern !== undefined
    // A format or an encoding beside a pattern is the name of the pattern.
    ? patternOf(pattern, at)
    : format !== undefined
    ? formatOf(format, at)
    : contentEncoding !== undefined
    ? refuseSchema(`has \`contentEncoding\` at ${at}, which cannot be followed without a pattern`)
    : undefined;
  if (inner === undefined || minLength === undefined && maxLength === undefined) {
    return sequence(literal('"'), inner ?? limit, literal('"'));
  }
  const automaton = intersection(spanning(inner), spanning(limit));
  if (shortestText(automaton) === Infinity) {
    return refuseSchema(
      `has no string at ${at}: its limits of length and its ${
        pattern === undefined ? "format" : "pattern"
      } exclude each other`,
    );
  }
  return sequence(literal('"'), { type: "Automaton", automaton }, literal('"'));
}

function patternOf(pattern: unknown, at: string): RegexElement {
  if (typeof pattern !== "string") {
    return refuseSchema(`has the pattern ${textOf(pattern)} at ${at}, expected a text`);
  }
  try {
    return insideOfString(pattern, quantified(anyInString(), 0, Infinity));
  } catch (error) {
    return refuseSchema(`has the pattern ${textOf(pattern)} at ${at}: ${messageOf(error)}`);
  }
}

function formatOf(format: unknown, at: string): RegexElement {
  const source = typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  return source === undefined
    ? refuseSchema(
      `has the format ${textOf(format)} at ${at}, expected ${Object.keys(FORMATS).join(", ")}, or a pattern`,
    )
    : expression(source);
}

/** What one of these elements spans, and no other of them. */
function one(parts: readonly RegexElement[]): RegexElement {
  let some = ACCEPT_NONE, several = ACCEPT_NONE;
  for (const automaton of parts.map((part) => spanning(part))) {
    several = union(several, intersection(some, automaton));
    some = union(some, automaton);
  }
  return { type: "Automaton", automaton: intersection(some, complement(several)) };
}

/** One value, as `JSON.stringify` writes it. */
function exact(value: unknown): RegexElement {
  return literal(JSON.stringify(value));
}

function optional(element: RegexElement): RegexElement {
  return quantified(element, 0, 1);
}

import { z } from "zod";
import { type JsonObject, notJson, plainJson } from "../foundation/canonical.ts";
import { messageOf } from "../foundation/errors.ts";
import { nearest } from "../foundation/nearest.ts";
import { once } from "../foundation/once.ts";
import { parseExactJson, roundedInteger } from "../foundation/exact_json.ts";

/** Parameters as plain JSON, defaults filled in, or what is wrong with them, a line a fault. */
export type ParamsResult =
  | { readonly ok: true; readonly params: JsonObject }
  | { readonly ok: false; readonly faults: string[] };

interface Shape {
  type?: string | string[];
  properties?: Record<string, Shape>;
  additionalProperties?: boolean | Shape;
  items?: Shape;
  anyOf?: Shape[];
}

/** What takes no parameters has no schema. */
const none = once(() => z.object({}));

const shapes = new WeakMap<z.ZodType, Shape>();

function shapeOf(schema: z.ZodType): Shape {
  let shape = shapes.get(schema);
  if (shape === undefined) {
    shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape;
    shapes.set(schema, shape);
  }
  return shape;
}

/** Properties that the schema does not know, with the nearest right name. Open objects and records know all. */
function unknownProperties(value: unknown, shape: Shape, path: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const items = shape.items;
    return items === undefined
      ? []
      : value.flatMap((item, i) => unknownProperties(item, items, `${path}[${i}]`));
  }
  const properties = shape.properties;
  if (properties === undefined) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known !== undefined) return unknownProperties(item, known, at);
    if (shape.additionalProperties !== undefined && shape.additionalProperties !== false) return [];
    const near = nearest(key, Object.keys(properties));
    const advice = near === undefined
      ? knownNames(properties)
      : `; did you mean \`${path === "" ? near : `${path}.${near}`}\`?`;
    return [`unknown parameter \`${at}\`${advice}`];
  });
}

function knownNames(properties: Record<string, Shape>): string {
  const names = Object.keys(properties);
  return names.length === 0 ? "; there are no parameters here" : `; the parameters are ${names.join(", ")}`;
}

/** Checks parameters against their schema, undefined where there are none; unknown ones are faults. */
export function checkParams(schema: z.ZodType | undefined, value: unknown): ParamsResult {
  schema ??= none();
  const faults = unknownProperties(value, shapeOf(schema), "");
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      if (issue.code === "unrecognized_keys") continue; // named above, with a suggestion
      const path = issue.path.length === 0 ? "the parameters" : `parameter \`${issue.path.join(".")}\``;
      faults.push(`${path}: ${issue.message}`);
    }
  }
  if (faults.length > 0 || !parsed.success) return { ok: false, faults };
  const fault = notJson(parsed.data);
  // As it was given, too: a schema may make a text of a number.
  const rounded = fault === undefined ? roundedInteger(value) ?? roundedInteger(parsed.data) : undefined;
  if (rounded !== undefined) {
    const path = rounded.path === "" ? "the parameters" : `parameter \`${rounded.path}\``;
    return {
      ok: false,
      faults: [
        `${path}: ${rounded.number} is beyond 2^53, where neighbouring whole numbers are one: ` +
        "give it as a string, or rounded to 15 digits",
      ],
    };
  }
  if (fault !== undefined) return { ok: false, faults: [`parameters must be plain JSON, but ${fault}`] };
  return { ok: true, params: plainJson(parsed.data) as JsonObject };
}

/**
 * Sets `a.b=value` assignments into a copy of `params`. A value is read as JSON, except where the
 * schema wants a string; text that is no JSON is a string.
 *
 * @returns the parameters, or faults for texts that are no assignments, and for numbers that would not stay what they are.
 */
export function assignParams(
  schema: z.ZodType | undefined,
  params: JsonObject,
  assignments: readonly string[],
): { params: JsonObject; faults: string[] } {
  const result = structuredClone(params);
  const faults: string[] = [];
  for (const text of assignments) {
    const equals = text.indexOf("=");
    const path = text.slice(0, equals).split(".");
    if (equals < 1 || path.some((part) => part === "" || part === "__proto__")) {
      faults.push(`--set ${text}: expected name=value or outer.inner=value`);
      continue;
    }
    let target: JsonObject = result;
    let shape: Shape | undefined = schema && shapeOf(schema);
    for (const part of path.slice(0, -1)) {
      shape = shape?.properties?.[part];
      const next = Object.hasOwn(target, part) ? target[part] : undefined;
      if (typeof next !== "object" || next === null || Array.isArray(next)) target[part] = {};
      target = target[part] as JsonObject;
    }
    const last = path.at(-1)!;
    try {
      target[last] = parseValue(text.slice(equals + 1), shape?.properties?.[last]);
    } catch (error) {
      faults.push(`--set ${text}: ${messageOf(error)}`);
    }
  }
  return { params: result, faults };
}

function parseValue(text: string, shape: Shape | undefined): JsonObject[string] {
  if (shape?.type === "string") return text;
  try {
    return parseExactJson(text) as JsonObject[string];
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

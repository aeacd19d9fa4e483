import type { AnyNode, Node } from "acorn";

/** Local names of the functions that declare stages: what they are told of how nodes run is no part of a stage's code. */
export interface Declaring {
  readonly stage: ReadonlySet<string>;
  readonly temporary: ReadonlySet<string>;
}

const NOTHING: Declaring = { stage: new Set(), temporary: new Set() };

/**
 * A text of the syntax tree of JavaScript statements. Two texts are equal exactly where nothing but the format differs:
 * white space, comments, quotes, notations of numbers, parentheses, trailing commas, semicolons, braces around single
 * statements, quotes around names of properties, the order of imported names; and, in declarations of stages, what says how their
 * nodes run and which outputs are temporary.
 *
 * @throws SyntaxError for what the parser does not know.
 */
export async function syntaxText(code: string, declaring: Declaring = NOTHING): Promise<string> {
  const { parse } = await import("acorn");
  const { body } = parse(code, { ecmaVersion: "latest", sourceType: "module" });
  const out: string[] = [];
  for (const node of body) if (node.type !== "EmptyStatement") write(node, out, declaring);
  return out.join("");
}

/** What says nothing, or is written in another way. */
const SKIPPED = new Set(["type", "start", "end", "raw", "key", "shorthand"]);

function write(whole: AnyNode, out: string[], declaring: Declaring): void {
  const node = declared(whole, declaring);
  if (node === undefined) return;
  if (node.type === "Literal") return void out.push(literal(node));
  out.push("(", node.type);
  for (const [name, value] of Object.entries(node)) {
    // What is false or missing is so by default.
    if (value === false || value === null || value === undefined) continue;
    if (!SKIPPED.has(name)) {
      out.push(" ", name, "=");
      writeValue(name === "directive" ? true : formed(node, name, value), out, declaring);
    } else if (name === "key") {
      out.push(" key=");
      writeKey(node as AnyNode & { key: AnyNode; computed: boolean; shorthand?: boolean }, out, declaring);
    }
  }
  out.push(")");
}

function writeValue(value: unknown, out: string[], declaring: Declaring): void {
  if (Array.isArray(value)) {
    out.push("[");
    for (const item of value) writeValue(item, out, declaring);
    out.push("]");
  } else if (isNode(value)) write(value, out, declaring);
  // Strings, booleans and null; the two forms of a piece of a template.
  else out.push(JSON.stringify(value) ?? "-", ",");
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function literal(node: AnyNode & { type: "Literal" }): string {
  if (node.regex) return `(regex ${JSON.stringify([node.regex.pattern, node.regex.flags])})`;
  if (typeof node.bigint === "string") return `(bigint ${node.bigint})`;
  // The decimal notation of a number is its own; JSON has none for infinity.
  return typeof node.value === "number" ? `(number ${node.value})` : JSON.stringify(node.value);
}

/** What a stage is told of how its nodes run. */
const POLICY = new Set(["resources", "retries"]);

/** A node without what is no part of a stage's code; undefined where nothing is left of it. */
function declared(node: AnyNode, { stage, temporary }: Declaring): AnyNode | undefined {
  if (node.type === "ImportDeclaration") {
    return node.specifiers.length > 0 && node.specifiers.every(({ local }) => temporary.has(local.name))
      ? undefined
      : node;
  }
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier") return node;
  const [first] = node.arguments;
  if (temporary.has(node.callee.name) && node.arguments.length === 1) return first!;
  if (!stage.has(node.callee.name) || first?.type !== "ObjectExpression") return node;
  const properties = first.properties.filter((one) =>
    one.type !== "Property" || one.computed || one.key.type !== "Identifier" || !POLICY.has(one.key.name)
  );
  return properties.length === first.properties.length
    ? node
    : { ...node, arguments: [{ ...first, properties }, ...node.arguments.slice(1)] };
}

/** Names of properties are texts, however they are written; only `{ __proto__ }` is another thing than a long form of it. */
function writeKey(
  { key, computed, shorthand }: { key: AnyNode; computed: boolean; shorthand?: boolean },
  out: string[],
  declaring: Declaring,
): void {
  if (computed || key.type !== "Identifier" && key.type !== "Literal") return write(key, out, declaring);
  const name = key.type === "Identifier" ? key.name : String(key.bigint ?? key.value);
  out.push(JSON.stringify(name), name === "__proto__" && shorthand === true ? "!" : "");
}

const BODIES = new Set(["consequent", "alternate", "body"]);
const WITH_BODY = /^(?:If|For|ForIn|ForOf|While|DoWhile)Statement$/;

/** A part of a node in the form that stands for all that mean the same. */
function formed(node: AnyNode, name: string, value: unknown): unknown {
  if (BODIES.has(name) && WITH_BODY.test(node.type)) return unbraced(value as AnyNode | null);
  if (!Array.isArray(value)) return value;
  if (name === "specifiers") {
    const texts = value.map((item): [string, unknown] => {
      const out: string[] = [];
      write(item, out, NOTHING);
      return [out.join(""), item];
    });
    return texts.sort(([a], [b]) => a < b ? -1 : 1).map(([, item]) => item);
  }
  return name === "body" || name === "consequent"
    ? value.filter((item: AnyNode) => item.type !== "EmptyStatement")
    : value;
}

/** The statement of a block that holds nothing else and declares nothing. */
function unbraced(node: AnyNode | null): AnyNode | null {
  let inner = node;
  while (inner?.type === "BlockStatement" && inner.body.length === 1) {
    const [only] = inner.body;
    if (/Declaration$/.test(only!.type)) break;
    inner = only!;
  }
  return inner;
}

import type { AnyNode, Node } from "acorn";
import { parse } from "acorn";
import { stop, transform } from "esbuild";
import { errorCodes } from "../../foundation/codes/mod.ts";
import type { ErrorCode } from "../../foundation/errors.ts";

const ROOT = new URL("../../", import.meta.url);
const ROOMS = [
  "circuits",
  "cli",
  "datasets",
  "foundation",
  "kernels",
  "pipelines",
  "runner",
  "stages",
  "teachers",
  "control",
  "web",
];

/** A message that the sources give an error: literal pieces, between which something is filled in. */
export interface Message {
  /** The file, relative to the project. */
  readonly file: string;
  readonly code: ErrorCode;
  /** One piece more than there are expressions. */
  readonly pieces: readonly string[];
  /** More follows: faults in lines of their own, or another error's message. */
  readonly open: boolean;
}

/** An error that is made without a code, by the name of its class. */
export interface RawError {
  readonly file: string;
  readonly name: string;
}

/** A hint that the sources give an error. */
export interface Hint {
  readonly file: string;
  /** As those of a message. */
  readonly pieces: readonly string[];
}

/** What the sources of all rooms say in errors. */
export interface Thrown {
  readonly messages: readonly Message[];
  readonly hints: readonly Hint[];
  readonly raw: readonly RawError[];
  /** Every code that stands anywhere outside its table. */
  readonly used: ReadonlySet<string>;
}

function* sourcesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesIn(path);
    else if (/\.tsx?$/.test(name) && !path.startsWith("foundation/codes/")) yield path;
  }
}

/** Reads all sources; nothing is run. */
export async function thrown(): Promise<Thrown> {
  const messages: Message[] = [];
  const hints: Hint[] = [];
  const raw: RawError[] = [];
  const used = new Set<string>();
  try {
    for (const file of ROOMS.flatMap((room) => [...sourcesIn(room)])) {
      const text = await Deno.readTextFile(new URL(file, ROOT));
      const { code } = await transform(text, { loader: file.endsWith("x") ? "tsx" : "ts", jsx: "automatic" });
      for (const node of nodesOf(parse(code, { ecmaVersion: "latest", sourceType: "module" }))) {
        if (node.type === "Literal" && isCode(node.value)) used.add(node.value);
        if (
          node.type === "NewExpression" && node.callee.type === "Identifier" && RAW.test(node.callee.name)
        ) {
          raw.push({ file, name: node.callee.name });
        }
        messages.push(...messagesOf(file, node));
        if (node.type === "Property" && node.key.type === "Identifier" && node.key.name === "hint") {
          hints.push(...alternatives(node.value).map((pieces) => ({ file, pieces })));
        }
      }
    }
  } finally {
    await stop();
  }
  return { messages, hints, raw, used };
}

const RAW = /^(Error|TypeError|RangeError|SyntaxError|AggregateError)$/;

/** Functions that put something before or after the message that they are given. */
const OPEN = /^(inContext|callFault|of)$/;

function messagesOf(file: string, node: AnyNode): Message[] {
  if (node.type === "NewExpression" || node.type === "CallExpression") {
    const at = node.arguments.findIndex((one) => codeIn(one) !== undefined);
    if (at < 0) return [];
    const { callee } = node;
    const name = callee.type === "Identifier"
      ? callee.name
      : callee.type === "MemberExpression" && callee.property.type === "Identifier"
      ? callee.property.name
      : "";
    const message = node.arguments[name === "inContext" ? 0 : at + 1];
    return made(file, codeIn(node.arguments[at])!, message, OPEN.test(name));
  }
  if (node.type !== "ObjectExpression") return [];
  const valueOf = (...names: string[]) =>
    node.properties.flatMap((one) =>
      one.type === "Property" && one.key.type === "Identifier" && names.includes(one.key.name)
        ? [one.value]
        : []
    )[0];
  const code = codeIn(valueOf("code"));
  if (code === undefined) return [];
  return made(file, code, valueOf("error", "message", "problem"), false);
}

function made(file: string, code: ErrorCode, message: AnyNode | undefined, open: boolean): Message[] {
  if (message === undefined) return [];
  return alternatives(message).map((pieces) => ({ file, code, pieces, open }));
}

/** The texts that an expression may be. */
function alternatives(node: AnyNode): string[][] {
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" ? [[node.value]] : [];
    case "TemplateLiteral":
      return [node.quasis.map(({ value }) => value.cooked ?? value.raw)];
    case "ConditionalExpression":
      return [...alternatives(node.consequent), ...alternatives(node.alternate)];
    case "BinaryExpression":
      if (node.operator !== "+") break;
      return alternatives(node.left as AnyNode).flatMap((left) =>
        alternatives(node.right).map((
          right,
        ) => [...left.slice(0, -1), left.at(-1)! + right[0]!, ...right.slice(1)])
      );
  }
  return [["", ""]];
}

/** A code that stands there, also where it is for what has none of its own. */
function codeIn(node: AnyNode | undefined): ErrorCode | undefined {
  if (node?.type === "LogicalExpression" && node.operator === "??") return codeIn(node.right);
  return node?.type === "Literal" && isCode(node.value) ? node.value : undefined;
}

function isCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}

function* nodesOf(node: AnyNode): Generator<AnyNode> {
  yield node;
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === "object" && one !== null && typeof (one as Node).type === "string") {
        yield* nodesOf(one);
      }
    }
  }
}

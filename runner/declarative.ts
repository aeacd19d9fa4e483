import type { AnyNode, CallExpression, Program } from "acorn";

/** What a module's import makes: calls of `declaring` functions and of `schema` libraries only make a value. */
export type ImportKind = "declaring" | "schema" | undefined;

/** What is made by these of JavaScript's own classes does nothing else. */
const CLASSES = new Set(["Map", "RegExp", "Set", "URL", "WeakMap"]);

/**
 * Marks what a module declares at its top, so that a bundler leaves out what nothing uses: values that are made of literals, functions,
 * schemas and calls that declare stages, codecs and pipelines. The bundler cannot know that such calls do nothing else; all other
 * calls stay, as they may.
 *
 * @param code JavaScript.
 * @param kindOf what an import makes, by specifier and imported name.
 * @throws SyntaxError for what the parser does not know.
 */
export async function markDeclarations(
  code: string,
  kindOf: (specifier: string, name: string) => ImportKind,
): Promise<string> {
  const { parse } = await import("acorn");
  const program = parse(code, { ecmaVersion: "latest", sourceType: "module" });
  const names = importedNames(program, kindOf);
  const marked: AnyNode[] = [];
  const mark = (node: AnyNode) => {
    if (!PLAIN.has(node.type) && isDeclarative(node, names)) marked.push(node);
  };
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration") mark(statement.declaration);
    const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declared?.type !== "VariableDeclaration" || declared.kind.endsWith("using")) continue;
    for (const { id, init } of declared.declarations) {
      if (id.type !== "Identifier" || !init) continue;
      if (declared.kind === "const" && isSchema(init, names)) names.set(id.name, "schema");
      mark(init);
    }
  }
  let out = "", at = 0;
  for (const { start, end } of marked) {
    out += `${code.slice(at, start)}/* @__PURE__ */ (() => (${code.slice(start, end)}))()`;
    at = end;
  }
  return out + code.slice(at);
}

/** What bundlers know themselves to do nothing. */
const PLAIN = new Set([
  ...["Literal", "Identifier", "ArrowFunctionExpression"],
  ...["FunctionExpression", "FunctionDeclaration", "ClassDeclaration"],
]);

/** What the names of a module's imports make; a namespace is what all of its module makes. */
function importedNames(
  { body }: Program,
  kindOf: (specifier: string, name: string) => ImportKind,
): Map<string, ImportKind> {
  const names = new Map<string, ImportKind>();
  for (const statement of body) {
    if (statement.type !== "ImportDeclaration") continue;
    for (const specifier of statement.specifiers) {
      const imported = specifier.type === "ImportSpecifier"
        ? specifier.imported.type === "Identifier"
          ? specifier.imported.name
          : String(specifier.imported.value)
        : specifier.type === "ImportDefaultSpecifier"
        ? "default"
        : "*";
      names.set(specifier.local.name, kindOf(String(statement.source.value), imported));
    }
  }
  return names;
}

/** Whether making a value does nothing else. */
function isDeclarative(node: AnyNode | null, names: ReadonlyMap<string, ImportKind>): boolean {
  const all = (...nodes: readonly (AnyNode | null)[]) => nodes.every((one) => isDeclarative(one, names));
  switch (node?.type) {
    case undefined:
    case "Literal":
    case "Identifier":
    case "MetaProperty":
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return true;
    case "ArrayExpression":
      return all(...node.elements);
    case "ObjectExpression":
      return all(...node.properties);
    case "Property":
      return (!node.computed || all(node.key)) && all(node.value);
    case "SpreadElement":
      return all(node.argument);
    case "TemplateLiteral":
      return all(...node.expressions);
    case "UnaryExpression":
      return node.operator !== "delete" && all(node.argument);
    case "BinaryExpression":
    case "LogicalExpression":
      return all(node.left, node.right);
    case "ConditionalExpression":
      return all(node.test, node.consequent, node.alternate);
    case "MemberExpression":
      return all(node.object) && (!node.computed || all(node.property));
    case "NewExpression":
      return node.callee.type === "Identifier" && CLASSES.has(node.callee.name) &&
        !names.has(node.callee.name) &&
        all(...node.arguments);
    case "CallExpression":
      return all(...node.arguments) && (isDeclaring(node, names) || isSchema(node, names));
    default:
      return false;
  }
}

function isDeclaring({ callee }: CallExpression, names: ReadonlyMap<string, ImportKind>): boolean {
  return callee.type === "Identifier" && names.get(callee.name) === "declaring";
}

/** Whether an expression is a schema: a chain of calls and members that begins with one, or with a library of them. */
function isSchema(node: AnyNode, names: ReadonlyMap<string, ImportKind>): boolean {
  switch (node.type) {
    case "Identifier":
      return names.get(node.name) === "schema";
    case "MemberExpression":
      return isSchema(node.object, names) && (!node.computed || isDeclarative(node.property, names));
    case "CallExpression":
      return node.callee.type === "MemberExpression" && isSchema(node.callee.object, names) &&
        node.arguments.every((argument) => isDeclarative(argument, names));
    default:
      return false;
  }
}

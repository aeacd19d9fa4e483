/** What the project's source says of itself: its files, which of them import which, and what each defines. */
import { dirname, relative } from "node:path";
import { ROOT } from "../command.ts";

/** Folders of data: fixtures, and what golden files keep. */
const DATA: readonly string[] = ["fixtures", "kept", "node_modules"];

/** Sources in a folder or file, relative to the project, in order, without data. */
export function sourcesIn(place: string, kinds = /\.tsx?$/): string[] {
  const path = `${ROOT}/${place}`;
  if (!Deno.statSync(path).isDirectory) return kinds.test(path) ? [place] : [];
  return [...Deno.readDirSync(path)]
    .filter(({ name }) => !name.startsWith(".") && !DATA.includes(name))
    .map(({ name }) => name).sort()
    .flatMap((name) => sourcesIn(`${place}/${name}`, kinds));
}

/** An import of one module by another, both relative to the project. */
export interface Import {
  readonly from: string;
  readonly to: string;
  /** `value` is there when the module is evaluated, `lazy` when `import()` is called, `type` never. */
  readonly kind: "value" | "lazy" | "type";
}

/** The imports of the project's own modules by a module. */
export function importsOf(from: string, text = Deno.readTextFileSync(`${ROOT}/${from}`)): Import[] {
  const target = (specifier: string) => relative(ROOT, `${dirname(`${ROOT}/${from}`)}/${specifier}`);
  const found: Import[] = [];
  const statement =
    /^(?:import|export(?= type \{| \{| \*))( type)?(?: ([^";=()]*?) from)? "(\.{1,2}\/[^"]+)"/gm;
  for (const [, type, names, specifier] of text.matchAll(statement)) {
    const onlyTypes = type !== undefined ||
      (names?.startsWith("{") === true && namesIn(names).every((name) => name.startsWith("type ")));
    found.push({ from, to: target(specifier!), kind: onlyTypes ? "type" : "value" });
  }
  for (const [, before, specifier] of text.matchAll(/(\btypeof )?\bimport\(\s*"(\.{1,2}\/[^"]+)"/g)) {
    found.push({ from, to: target(specifier!), kind: before === undefined ? "lazy" : "type" });
  }
  return found;
}

function namesIn(braces: string): string[] {
  return braces.replaceAll(/[{}]/g, "").split(",").map((name) => name.trim()).filter((name) => name !== "");
}

/** Names that a module defines and exports; what it hands on from other modules is theirs. */
export function definedIn(text: string): string[] {
  const declared =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type|enum) ([\w$]+)/gm;
  const imported = new Set(
    [...text.matchAll(/^import (?:type )?(\{[^}]*\}) from/gm)].flatMap(([, names]) => namesIn(names!)).map((
      name,
    ) => name.replace(/^type /, "").split(" as ").at(-1)!),
  );
  const listed = [...text.matchAll(/^export (?:type )?(\{[^}]*\})(?! from)/gm)].flatMap(([, names]) =>
    namesIn(names!)
  )
    .map((name) => name.replace(/^type /, "").split(" as ")).filter(([inside]) => !imported.has(inside!));
  const taken = [...text.matchAll(/^export (?:const|let) (\{[^}]*\}) =/gm)].flatMap(([, names]) =>
    namesIn(names!)
  )
    .map((name) => name.split(/: */));
  return [
    ...new Set([
      ...[...text.matchAll(declared)].map(([, name]) => name!),
      ...[...listed, ...taken].map((names) => names.at(-1)!),
    ]),
  ];
}

/**
 * The groups of modules that import each other in a circle (strongly connected components of more than one module).
 *
 * R. Tarjan: Depth-First Search and Linear Graph Algorithms. SIAM J. Comput. 1 (1972) 146-160.
 */
export function circlesIn(imports: readonly Pick<Import, "from" | "to">[]): string[][] {
  const next = Map.groupBy(imports, ({ from }) => from);
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const open = new Set<string>();
  const circles: string[][] = [];
  const visit = (module: string) => {
    order.set(module, order.size);
    low.set(module, order.get(module)!);
    stack.push(module);
    open.add(module);
    for (const { to } of next.get(module) ?? []) {
      if (!order.has(to)) visit(to);
      if (open.has(to)) low.set(module, Math.min(low.get(module)!, low.get(to)!));
    }
    if (low.get(module) !== order.get(module)) return;
    const circle = stack.splice(stack.indexOf(module));
    for (const member of circle) open.delete(member);
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const { from } of imports) if (!order.has(from)) visit(from);
  return circles;
}

import { fileURLToPath } from "node:url";
import { REPOSITORY } from "../repository.ts";

/** A type as `deno doc --json` (version 2) writes it. */
export interface DocType {
  readonly kind: string;
  readonly repr?: string;
  // deno-lint-ignore no-explicit-any -- each kind has its own value
  readonly value: any;
}

/** A parameter of a function. */
export interface DocParameter {
  readonly kind: "identifier" | "rest" | "assign" | "object" | "array";
  readonly name?: string;
  readonly optional?: boolean;
  readonly tsType?: DocType;
  /** Of a parameter with a default: what it is without it. */
  readonly left?: DocParameter;
  /** Of the rest of the parameters. */
  readonly arg?: DocParameter;
}

export interface DocTypeParameter {
  readonly name: string;
  readonly constraint?: DocType;
  readonly default?: DocType;
}

export interface DocFunction {
  readonly params?: readonly DocParameter[];
  readonly returnType?: DocType;
  readonly typeParams?: readonly DocTypeParameter[];
  readonly isAsync?: boolean;
}

export interface DocComment {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string; readonly name?: string; readonly doc?: string }[];
}

/** A property or a method of an interface or a class. */
export interface DocMember extends DocFunction {
  readonly name: string;
  readonly jsDoc?: DocComment;
  readonly kind?: string;
  readonly readonly?: boolean;
  readonly optional?: boolean;
  readonly isStatic?: boolean;
  readonly accessibility?: "public" | "private" | "protected";
  readonly tsType?: DocType;
  readonly functionDef?: DocFunction;
}

/** What `def` of a declaration has, by its kind. */
export interface DocDefinition extends DocFunction {
  readonly tsType?: DocType;
  readonly kind?: string;
  readonly constructors?: readonly DocMember[];
  readonly properties?: readonly DocMember[];
  readonly methods?: readonly DocMember[];
  readonly callSignatures?: readonly DocMember[];
  readonly indexSignatures?: readonly {
    readonly params: readonly DocParameter[];
    readonly tsType?: DocType;
  }[];
  readonly extends?: readonly DocType[] | string;
  readonly implements?: readonly DocType[];
  readonly target?: DocLocation;
}

export interface DocLocation {
  /** A file URL, as Deno writes it. */
  readonly filename: string;
  readonly line: number;
}

export interface Declaration {
  readonly kind:
    | "function"
    | "interface"
    | "typeAlias"
    | "variable"
    | "class"
    | "reference"
    | "enum"
    | "namespace";
  readonly location: DocLocation;
  readonly jsDoc?: DocComment;
  readonly def: DocDefinition;
}

/** An exported name with its declarations: several where a function is overloaded. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** What a module exports. */
export interface DocModule {
  readonly comment: string;
  readonly symbols: readonly DocSymbol[];
}

interface DocOutput {
  readonly version: number;
  readonly nodes: Record<string, { module_doc?: DocComment; symbols: DocSymbol[] }>;
}

/**
 * What modules of the repository export, by their paths. Names that are only passed on have the declaration of the
 * place that they come from.
 *
 * @throws Error when `deno doc` fails or writes another version of its format.
 */
export async function documentedModules(paths: readonly string[]): Promise<Map<string, DocModule>> {
  const { nodes } = await denoDoc(paths);
  const symbols = Object.values(nodes).flatMap((module) => module.symbols);
  const targets = symbols.flatMap(({ declarations }) => declarations).flatMap(({ def }) => def.target ?? []);
  const files = new Set(targets.map(({ filename }) => repositoryPath(filename)));
  const origins = files.size === 0 ? {} : (await denoDoc([...files])).nodes;
  const placed = new Map(
    Object.values(origins).flatMap((module) => module.symbols).flatMap(({ declarations }) =>
      declarations.map((declaration) => [placeOf(declaration.location), declaration] as const)
    ),
  );
  return new Map(
    Object.entries(nodes).map(([url, module]) => [repositoryPath(url), {
      comment: module.module_doc?.doc ?? "",
      symbols: module.symbols.map(({ name, declarations }) => ({
        name,
        declarations: declarations.map((one) =>
          one.def.target === undefined ? one : placed.get(placeOf(one.def.target)) ?? one
        ),
      })),
    }]),
  );
}

function placeOf({ filename, line }: DocLocation): string {
  return `${filename}:${line}`;
}

/** The path in the repository of a file URL. */
export function repositoryPath(url: string): string {
  return fileURLToPath(url).slice(REPOSITORY.length + 1).replaceAll("\\", "/");
}

async function denoDoc(paths: readonly string[]): Promise<DocOutput> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...paths],
    cwd: REPOSITORY,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(`deno doc: ${new TextDecoder().decode(stderr)}`);
  const output = JSON.parse(new TextDecoder().decode(stdout)) as DocOutput;
  if (output.version !== 2) throw new Error(`deno doc writes version ${output.version}, expected 2`);
  return output;
}

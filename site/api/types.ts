import { escapeHtml } from "../code.ts";
import type { DocFunction, DocMember, DocParameter, DocType, DocTypeParameter } from "./doc.ts";

/** The address of a type's page, where it has one. */
export type LinkType = (name: string) => string | undefined;

/** Longest line of a signature, in characters, before it is broken. */
const LINE = 96;

/** Writes types and signatures of TypeScript as HTML, names of documented types as links. */
export class TypeWriter {
  constructor(private readonly link: LinkType) {}

  /** `name<T>(a: A, b?: B): R`. */
  signature(before: string, name: string, fn: DocFunction): string {
    const head = `${keyword(before)}${before === "" ? "" : " "}${title(name)}${
      this.typeParameters(fn.typeParams)
    }`;
    const parameters = (fn.params ?? []).map((one) => this.parameter(one));
    const result = fn.returnType === undefined ? "" : `: ${this.type(fn.returnType)}`;
    const line = `${head}(${parameters.join(", ")})${result}`;
    if (visibleLength(line) <= LINE || parameters.length === 0) return line;
    return `${head}(\n${parameters.map((one) => `  ${one},\n`).join("")})${result}`;
  }

  /** `readonly name?: T`, or the signature of a method. */
  member(member: DocMember): string {
    const words = [
      member.isStatic === true ? "static" : "",
      member.readonly === true ? "readonly" : "",
      member.kind === "getter" ? "get" : "",
    ].filter((word) => word !== "").join(" ");
    const mark = member.optional === true ? "?" : "";
    if (member.functionDef !== undefined && member.kind !== "getter") {
      return this.signature(words, member.name + mark, member.functionDef);
    }
    if (member.params !== undefined) {
      return this.signature(words, member.name + mark, {
        ...member,
        returnType: member.returnType ?? member.tsType!,
      });
    }
    const type = member.tsType ?? member.functionDef?.returnType;
    const before = words === "" ? "" : `${keyword(words)} `;
    return `${before}${title(member.name + mark)}${type === undefined ? "" : `: ${this.type(type)}`}`;
  }

  typeParameters(parameters: readonly DocTypeParameter[] | undefined): string {
    if (parameters === undefined || parameters.length === 0) return "";
    const each = parameters.map((one) => {
      const bound = one.constraint === undefined ? "" : ` ${keyword("extends")} ${this.type(one.constraint)}`;
      return `${escapeHtml(one.name)}${bound}${
        one.default === undefined ? "" : ` = ${this.type(one.default)}`
      }`;
    });
    return `&lt;${each.join(", ")}&gt;`;
  }

  private parameter(parameter: DocParameter): string {
    if (parameter.kind === "assign") return this.parameter({ ...parameter.left!, optional: true });
    if (parameter.kind === "rest") {
      return `...${escapeHtml(parameter.arg?.name ?? "rest")}${
        parameter.tsType === undefined ? "" : `: ${this.type(parameter.tsType)}`
      }`;
    }
    const name = parameter.kind === "object"
      ? "options"
      : parameter.kind === "array"
      ? "items"
      : parameter.name!;
    const type = parameter.tsType === undefined ? "" : `: ${this.type(parameter.tsType)}`;
    return `${escapeHtml(name)}${parameter.optional === true ? "?" : ""}${type}`;
  }

  /** A type. */
  type(type: DocType): string {
    const { kind, value } = type;
    const all = (types: readonly DocType[], between: string) =>
      types.map((one) => this.type(one)).join(between);
    switch (kind) {
      case "keyword":
        return keyword(value);
      case "literal":
        return this.literal(value);
      case "typeRef": {
        const args: readonly DocType[] = value.typeParams ?? [];
        return this.name(value.typeName) + (args.length === 0 ? "" : `&lt;${all(args, ", ")}&gt;`);
      }
      case "union":
        return all(value, " | ");
      case "intersection":
        return all(value, " &amp; ");
      case "array":
        return `${this.grouped(value)}[]`;
      case "tuple":
        return `[${all(value, ", ")}]`;
      case "parenthesized":
        return `(${this.type(value)})`;
      case "rest":
        return `...${this.type(value)}`;
      case "optional":
        return `${this.type(value)}?`;
      case "typeQuery":
        return `${keyword("typeof")} ${this.name(value)}`;
      case "this":
        return keyword("this");
      case "typeOperator":
        return `${keyword(value.operator)} ${this.type(value.tsType)}`;
      case "indexedAccess":
        return `${this.type(value.objType)}[${this.type(value.indexType)}]`;
      case "infer":
        return `${keyword("infer")} ${escapeHtml(value.typeParam.name)}`;
      case "conditional":
        return `${this.type(value.checkType)} ${keyword("extends")} ${this.type(value.extendsType)} ? ${
          this.type(value.trueType)
        } : ${this.type(value.falseType)}`;
      case "fnOrConstructor": {
        const parameters = value.params.map((one: DocParameter) => this.parameter(one)).join(", ");
        const made = value.constructor === true ? `${keyword("new")} ` : "";
        return `${made}${this.typeParameters(value.typeParams)}(${parameters}) =&gt; ${
          this.type(value.tsType)
        }`;
      }
      case "mapped": {
        const { name, constraint } = value.typeParam;
        const before = value.readonly ? `${keyword("readonly")} ` : "";
        const key = `[${escapeHtml(name)} ${keyword("in")} ${this.type(constraint)}${
          value.nameType === undefined ? "" : ` ${keyword("as")} ${this.type(value.nameType)}`
        }]`;
        return `{ ${before}${key}${value.optional ? "?" : ""}: ${this.type(value.tsType)} }`;
      }
      case "typeLiteral":
        return this.typeLiteral(value);
      case "typePredicate": {
        const subject = value.param.type === "this" ? "this" : value.param.name;
        const asserted = value.asserts === true ? `${keyword("asserts")} ` : "";
        return `${asserted}${escapeHtml(subject)}${
          value.type === undefined ? "" : ` ${keyword("is")} ${this.type(value.type)}`
        }`;
      }
      case "importType":
        return escapeHtml(type.repr ?? value.specifier);
      default:
        throw new Error(`deno doc has a kind of type that the site does not know: ${kind}`);
    }
  }

  private typeLiteral(value: { [kind: string]: readonly DocMember[] | undefined }): string {
    const index = (value.indexSignatures ?? []).map((one) =>
      `[${one.params!.map((parameter) => this.parameter(parameter)).join(", ")}]: ${this.type(one.tsType!)}`
    );
    const members = [...value.properties ?? [], ...value.methods ?? []].map((one) => this.member(one));
    const calls = (value.callSignatures ?? []).map((one) => this.signature("", "", one));
    const all = [...index, ...calls, ...members];
    return all.length === 0 ? "{}" : `{ ${all.join("; ")} }`;
  }

  /** A type that something is hung on. */
  private grouped(type: DocType): string {
    const text = this.type(type);
    return ["union", "intersection", "fnOrConstructor", "conditional", "typeOperator"].includes(type.kind)
      ? `(${text})`
      : text;
  }

  private name(name: string): string {
    const to = this.link(name);
    const text = escapeHtml(name);
    return to === undefined ? text : `<a href="${escapeHtml(to)}">${text}</a>`;
  }

  // deno-lint-ignore no-explicit-any -- each kind has its own field
  private literal(value: any): string {
    const string = (text: string) => `<span class="hljs-string">${escapeHtml(text)}</span>`;
    switch (value.kind) {
      case "string":
        return string(JSON.stringify(value.string));
      case "template": {
        const parts = (value.tsTypes as DocType[]).map((one) =>
          one.kind === "literal" && one.value.kind === "string"
            ? escapeHtml(one.value.string)
            : `\${${this.type(one)}}`
        );
        return string("`") + parts.join("") + string("`");
      }
      default:
        return `<span class="hljs-literal">${escapeHtml(String(value[value.kind]))}</span>`;
    }
  }
}

function keyword(word: string): string {
  return word === "" ? "" : `<span class="hljs-keyword">${escapeHtml(word)}</span>`;
}

function title(name: string): string {
  return `<span class="hljs-title">${escapeHtml(name)}</span>`;
}

function visibleLength(html: string): number {
  return html.replaceAll(/<[^>]*>/g, "").replaceAll(/&\w+;/g, "x").length;
}

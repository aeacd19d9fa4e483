import { CallError, textOf } from "../../foundation/errors.ts";
import { nearest } from "../../foundation/nearest.ts";
import { refuseArgument } from "../guards.ts";
import type { Constraint } from "./constraint.ts";
import { CONSTRAINT_NAMES, constraintFromJson } from "./from_json.ts";
import { matches } from "./matches.ts";
import { phrase } from "./phrase.ts";

/**
 * A constraint as people type it, in the words of the functions: `all(inOrder(" dog", " ball"), words(7, 12), not(" bad"))`,
 * `matches(/^[A-Z]/)`, `jsonSchema({"type": "boolean"})`. What has neither quotes nor brackets is a phrase: `peace`.
 *
 * @throws {CallError} saying where the text is not understood, or what makes no constraint
 */
export function constraintFromText(text: string): Constraint {
  if (typeof text !== "string") return refuseArgument("the constraint", text, "a text");
  const whole = text.trim();
  if (whole === "") {
    throw new CallError("control/argument", "the constraint is empty", {
      hint: 'Type a phrase, or a function of them: `inOrder(" we", " our")`.',
    });
  }
  if (!/["(){}\[\]/]/.test(whole)) return phrase(whole);
  const reader = new Reader(whole);
  const read = reader.constraint();
  reader.end();
  return read;
}

/**
 * Whether a text looks like a call of a function of constraints, well spelled or not, or like JSON: it is not to become a
 * phrase unasked.
 */
export function looksTyped(text: string): boolean {
  const [, name] = /^\s*([A-Za-z]+)\s*\(/.exec(text) ?? [];
  return /^\s*[{\["]/.test(text) || name !== undefined && nearest(name, CONSTRAINT_NAMES) !== undefined;
}

/** Arguments of constraints that are no constraints: numbers, JSON. */
const NUMBERED = new Set(["words", "exactly", "atLeast", "atMost"]);

/** Reads a text from left to right. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** A phrase in quotes, a function of constraints, or JSON of one. */
  constraint(): Constraint {
    const quoted = this.#quoted();
    if (quoted !== undefined) return phrase(quoted);
    if (this.#peek("{")) return constraintFromJson(this.#json(this.#balanced()));
    const name = this.#take(/[A-Za-z]+/y);
    if (name === undefined) {
      return this.#fail('a phrase in quotes, or a function such as `inOrder(" a", " b")`');
    }
    this.#expect("(");
    if (name === "matches") {
      const made = this.#regex();
      this.#expect(")");
      return made;
    }
    const given: unknown[] = [];
    for (let first = true; !this.#peek(")"); first = false) {
      if (!first) this.#expect(",");
      given.push(this.#argument(name, given.length));
    }
    this.#expect(")");
    return constraintFromJson({ [name]: ONE.has(name) && given.length === 1 ? given[0] : given });
  }

  /** Refuses what follows. */
  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("the end");
  }

  #argument(name: string, index: number): unknown {
    if (name === "phrase" || name === "word") return this.#quoted() ?? this.#fail("a phrase in quotes");
    if (name === "jsonSchema") return this.#json(this.#balanced());
    const number = NUMBERED.has(name) && (name === "words" || index === 0)
      ? this.#take(/-?(?:\d+(?:\.\d+)?|Infinity)/y)
      : undefined;
    return number === undefined ? this.constraint() : Number(number);
  }

  #quoted(): string | undefined {
    const found = this.#take(/"(?:[^"\\]|\\.)*"/y);
    return found === undefined ? undefined : this.#json(found) as string;
  }

  #regex(): Constraint {
    const literal = this.#take(/\/(?:[^\/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y);
    if (literal === undefined) return this.#fail("a regular expression: `/^[A-Z]/`");
    const end = literal.lastIndexOf("/");
    try {
      return matches(new RegExp(literal.slice(1, end), literal.slice(end + 1)));
    } catch (error) {
      if (error instanceof CallError) throw error;
      throw new CallError("control/regex", `${literal}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** JSON between braces that belong together. */
  #balanced(): string {
    this.#skip();
    let depth = 0, at = this.#at;
    for (let inText = false; at < this.#text.length; at++) {
      const letter = this.#text[at];
      if (inText && letter === "\\") at++;
      else if (letter === '"') inText = !inText;
      else if (!inText && letter === "{") depth++;
      else if (!inText && letter === "}" && --depth === 0) break;
    }
    if (!this.#peek("{") || depth !== 0) return this.#fail("JSON in braces");
    const found = this.#text.slice(this.#at, at + 1);
    this.#at = at + 1;
    return found;
  }

  #json(source: string): unknown {
    try {
      return JSON.parse(source);
    } catch (error) {
      throw new CallError("control/argument", `${textOf(source)} is no JSON: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #take(pattern: RegExp): string | undefined {
    this.#skip();
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #peek(letter: string): boolean {
    this.#skip();
    return this.#text[this.#at] === letter;
  }

  #expect(letter: string): void {
    if (!this.#peek(letter)) this.#fail(`\`${letter}\``);
    this.#at++;
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #fail(expected: string): never {
    const rest = this.#text.slice(this.#at);
    throw new CallError(
      "control/argument",
      `the constraint ${
        rest === ""
          ? "ends too early"
          : `goes on with ${textOf(rest.length > 20 ? `${rest.slice(0, 20)}…` : rest)}`
      } at letter ${this.#at + 1}, expected ${expected}`,
      { hint: 'As in `all(inOrder(" dog", " ball"), words(7, 12), not(" bad"))`.' },
    );
  }
}

/** Functions of one argument that is no list. */
const ONE = new Set(["not", "phrase", "word", "jsonSchema"]);

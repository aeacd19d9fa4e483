import type { ErrorCode } from "./codes/mod.ts";

export type { ErrorCode, OwnCode } from "./codes/mod.ts";

/** How a process should end after an error: 2 for a wrong call, 1 for a failed run. */
export type ExitCode = 1 | 2;

/** What an error carries besides its code and its message. */
export interface ErrorFacts {
  /** What to do next, in sentences. */
  readonly hint?: string | undefined;
  /** What was thrown before, if this error tells more about it. */
  readonly cause?: unknown;
}

/**
 * An error that a person can act on. Its message is a clause without a capital or a full stop: what is wrong, where, and
 * what was expected. Printed without a stack trace unless `--verbose` is given.
 */
export class RetortError extends Error {
  /** Name of the class. */
  override readonly name: string;
  /** Identifies the kind of error; docs/errors.md lists all codes. Stable from one version to the next. */
  readonly code: ErrorCode;
  /** 2 when the call itself was wrong (flag, parameter, pipeline), 1 when a run failed. */
  readonly exitCode: ExitCode;
  /** What to do next, printed on a line of its own. */
  readonly hint: string | undefined;

  /** An error with its code, message and optional hint and cause; `exitCode` is 1 unless given. */
  constructor(code: ErrorCode, message: string, facts: ErrorFacts & { readonly exitCode?: ExitCode } = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.exitCode = facts.exitCode ?? 1;
    this.hint = facts.hint;
  }
}

/** The call was wrong: an unknown flag, a parameter that does not fit, a pipeline that does not build. */
export class CallError extends RetortError {
  /** An error with its code, message and optional hint and cause. */
  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(code, message, { ...facts, exitCode: 2 });
  }
}

/** Gathers wrong calls, so that who makes several is told all of them at once. */
export class WrongCalls {
  readonly #errors: CallError[] = [];

  /** What an action returns; undefined, and kept in mind, where it throws a wrong call. */
  try<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.add(error);
      return undefined;
    }
  }

  /** Takes note of a wrong call. @throws what is none. */
  add(error: unknown): void {
    if (!(error instanceof CallError)) throw error;
    this.#errors.push(error);
  }

  /** @throws CallError with all that was gathered, each once, if there is any. */
  throwAny(): void {
    const [first, ...more] = this.#errors;
    if (first === undefined) return;
    if (more.length === 0) throw first;
    const joined = (texts: readonly (string | undefined)[]) =>
      [...new Set(texts.filter((text) => text !== undefined))].join("\n");
    const hint = joined(this.#errors.map((error) => error.hint));
    throw new CallError(first.code, joined(this.#errors.map((error) => error.message)), {
      ...(hint === "" ? {} : { hint }),
      cause: first,
    });
  }
}

/** The hint of anything that was thrown, whatever class it has: two copies of this module may be at work. */
export function hintOf(error: unknown): string | undefined {
  try {
    const hint = (error as { hint?: unknown } | null | undefined)?.hint;
    return typeof hint === "string" ? hint : undefined;
  } catch {
    return undefined; // What was thrown does not want to be looked at.
  }
}

/** The exit code that anything that was thrown asks for, or undefined when it is no error for people. */
export function exitCodeOf(error: unknown): ExitCode | undefined {
  const code = (error as { exitCode?: unknown } | undefined)?.exitCode;
  return code === 1 || code === 2 ? code : undefined;
}

/** The code of anything that was thrown, or undefined when it has none. Codes of the operating system do not count. */
export function codeOf(error: unknown): ErrorCode | undefined {
  try {
    const code = (error as { code?: unknown } | null | undefined)?.code;
    return typeof code === "string" && /^[a-z][a-z-]*\/[a-z][a-z0-9-]*$/.test(code)
      ? code as ErrorCode
      : undefined;
  } catch {
    return undefined; // What was thrown does not want to be looked at.
  }
}

/** An error with more said before its message; its code, hint and exit code stay. `code` is for what has none. */
export function inContext(context: string, error: unknown, code: ErrorCode): RetortError {
  return new RetortError(codeOf(error) ?? code, `${context}: ${messageOf(error)}`, {
    exitCode: exitCodeOf(error) ?? 1,
    hint: hintOf(error),
    cause: error,
  });
}

/** Longest text of a thrown value that is no error, and of a message. */
const LONGEST = 20_000;

/** The message of anything that was thrown, whatever it is. Never throws itself. */
export function messageOf(error: unknown): string {
  return clipped(told(() => {
    if (typeof error === "string") return error === "" ? "an empty text was thrown" : error;
    if (typeof error !== "object" || error === null) return `${textOf(error)} was thrown`;
    const { message, name, errors } = error as { message?: unknown; name?: unknown; errors?: unknown };
    const text = typeof message === "string" && message !== ""
      ? message
      : error instanceof Error && typeof name === "string"
      ? name
      : `${textOf(error)} was thrown`;
    // The errors of an AggregateError say more than its own message.
    return error instanceof AggregateError && Array.isArray(errors) && errors.length > 0
      ? `${text}: ${errors.slice(0, 5).map((one) => one === error ? "itself" : messageOf(one)).join("; ")}`
      : text;
  }));
}

/** Any value as a short text for people. Never throws, whatever the value does when it is looked at. */
export function textOf(value: unknown): string {
  return clipped(
    told(() => {
      switch (typeof value) {
        case "string":
          return JSON.stringify(value);
        case "bigint":
          return `${value}n`;
        case "function":
          return `the function ${value.name || "without a name"}`;
        case "object":
          return value === null ? "null" : objectText(value);
        default:
          return String(value);
      }
    }),
    1000,
  );
}

function objectText(value: object): string {
  const kind: unknown = value.constructor?.name;
  const named = typeof kind === "string" && kind !== "Object" && kind !== "Array" ? `${kind} ` : "";
  try {
    const text = JSON.stringify(value, (_, item) => typeof item === "bigint" ? `${item}n` : item);
    if (typeof text === "string") return named + text;
  } catch {
    // It holds itself, or does not want to be looked at.
  }
  return `${named}{${Object.keys(value).slice(0, 20).join(", ")}}`;
}

function told(tell: () => string): string {
  try {
    return tell();
  } catch {
    return "something that cannot be shown";
  }
}

/** A text of at most `longest` characters, with a word on how many were left out. */
export function clipped(text: string, longest: number = LONGEST): string {
  return text.length <= longest
    ? text
    : `${text.slice(0, longest)}… (${(text.length - longest).toLocaleString("en")} more characters)`;
}

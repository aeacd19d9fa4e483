import { distance } from "fastest-levenshtein";

/** How a process should end after an error: 2 for a wrong call, 1 for a failed run. */
export type ExitCode = 1 | 2;

/**
 * An error that a person can act on: what was wrong, where, what was expected, what to do next.
 * Printed without a stack trace unless `--verbose` is given.
 */
export class RetortError extends Error {
  /** Name of the class, for messages. */
  override readonly name: string;
  /** 2 when the call itself was wrong (flag, parameter, pipeline), 1 when a run failed. */
  readonly exitCode: ExitCode;
  /** What to do next, printed on a line of its own. */
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode?: ExitCode; hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.exitCode = options.exitCode ?? 1;
    this.hint = options.hint;
  }
}

/** The call was wrong: an unknown flag, a parameter that does not fit, a pipeline that does not build. */
export class CallError extends RetortError {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { ...options, exitCode: 2 });
  }
}

/**
 * The candidate nearest to `word` in edit distance, or undefined when none is near
 * (more than two letters and more than a third of the word would have to change).
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Two letters changed places are two edits: allowed in all but the shortest words.
  let bestDistance = Math.max(word.length < 3 ? 1 : 2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

/** `; did you mean X?` for a message, or nothing when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `; did you mean \`${near}\`?`;
}

/** The hint of anything that was thrown: errors of `circuits`, which knows no other room, carry one as well. */
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

/** An error with more said before its message; hint and exit code stay. */
export function inContext(context: string, error: unknown): RetortError {
  const hint = hintOf(error);
  return new RetortError(`${context}: ${messageOf(error)}`, {
    exitCode: exitCodeOf(error) ?? 1,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
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
    // What was gathered says more than that it was.
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

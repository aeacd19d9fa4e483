import { inspect } from "node:util";
import { clipped, textOf } from "../../foundation/errors.ts";
import type { StageContext } from "../context.ts";
import type { JobMessage } from "./job.ts";

/** Maximum length of one log message, in characters. */
const LONGEST_LOG = 1_000_000;
/** Longest name of a metric, and longest unit. */
const LONGEST_NAME = 200;
const LONGEST_UNIT = 40;
/** Maximum number of different warnings per job. */
const WARNINGS = 50;

/** The reports of a stage through its context, checked here. */
export type StageReports = Pick<StageContext, "log" | "progress" | "metric" | "chosen"> & {
  /** Name and adapter of an engine as they may be recorded; undefined when they cannot be. */
  engine(engine: unknown, adapter: unknown): { engine: string; adapter?: string } | undefined;
};

/**
 * Whatever a stage hands over is either recorded or, with a warning in the node's log, left out: what is told of a
 * computation never ends it. A metric that is not a finite number is recorded without a value, since where a
 * loss stopped being a number matters; progress that is none is left out. A warning comes once a job.
 */
export function telling(tell: (message: JobMessage) => void): StageReports {
  const warned = new Set<string>();
  const warn = (text: string) => {
    if (warned.has(text) || warned.size >= WARNINGS) return;
    warned.add(text);
    tell({ type: "log", text: `warning: ${text}` });
    if (warned.size === WARNINGS) {
      tell({ type: "log", text: "warning: further warnings of this kind are left out" });
    }
  };
  return {
    log: (message) => tell({ type: "log", text: logText(message) }),
    progress(done, total, unit) {
      const amount = numberOf(done);
      if (amount === undefined || !Number.isFinite(amount)) {
        return warn(`context.progress got ${textOf(done)} as the amount done; it is left out`);
      }
      const whole = total === undefined || total === null ? undefined : numberOf(total);
      const known = whole !== undefined && Number.isFinite(whole);
      if (!known && total !== undefined && total !== null) {
        warn(`context.progress got ${textOf(total)} as the total; it counts as unknown`);
      }
      const name = unit === undefined || unit === null ? "" : nameOf(unit, LONGEST_UNIT);
      if (name === undefined) warn(`context.progress got ${textOf(unit)} as the unit; it is left out`);
      tell({
        type: "progress",
        done: amount,
        ...(known ? { total: whole } : {}),
        ...(name === undefined || name === "" ? {} : { unit: name }),
      });
    },
    metric(name, value, step) {
      const called = nameOf(name, LONGEST_NAME);
      if (called === undefined || called === "") {
        return warn(`context.metric got ${textOf(name)} as the name of a metric; it is left out`);
      }
      const number = numberOf(value);
      if (number === undefined) {
        return warn(`metric ${called} got ${textOf(value)}, which is no number; it is left out`);
      }
      const at = step === undefined || step === null ? undefined : numberOf(step);
      const placed = at !== undefined && Number.isFinite(at);
      if (!placed && step !== undefined && step !== null) {
        warn(`metric ${called} got ${textOf(step)} as a step; it is recorded without one`);
      }
      const finite = Number.isFinite(number);
      if (!finite && !warned.has(called)) {
        warned.add(called); // Warns only about the first such value of a metric, whatever its step.
        tell({
          type: "log",
          text: `warning: metric ${called} is ${number}${placed ? ` at step ${at}` : ""}; ` +
            "values that are not finite are recorded as missing",
        });
      }
      tell({ type: "metric", name: called, value: finite ? number : null, ...(placed ? { step: at } : {}) });
    },
    chosen(name, value) {
      const called = nameOf(name, LONGEST_NAME);
      if (called === undefined || called === "") {
        return warn(`context.chosen got ${textOf(name)} as the name of what was chosen; it is left out`);
      }
      const told = typeof value === "string" ? nameOf(value, LONGEST_NAME) : numberOf(value);
      if (told === undefined || typeof told === "number" && !Number.isFinite(told)) {
        return warn(
          `context.chosen of ${called} got ${textOf(value)}, which is no text or number; it is left out`,
        );
      }
      tell({ type: "chosen", name: called, value: told });
    },
    engine(engine, adapter) {
      const name = nameOf(engine, LONGEST_NAME);
      if (name === undefined || name === "") {
        warn(`context.engine.used got ${textOf(engine)} as the name of an engine; it is left out`);
        return undefined;
      }
      const device = adapter === undefined || adapter === null ? "" : nameOf(adapter, LONGEST_NAME);
      if (device === undefined) {
        warn(`context.engine.used got ${textOf(adapter)} as the adapter; it is left out`);
      }
      return { engine: name, ...(device === undefined || device === "" ? {} : { adapter: device }) };
    },
  };
}

/** A text for a log: what is no text is shown as the console shows it. */
export function logText(message: unknown): string {
  try {
    const text = typeof message === "string" ? message : inspect(message, { colors: false });
    return clipped(text.toWellFormed(), LONGEST_LOG);
  } catch {
    return textOf(message);
  }
}

/** A number that may be recorded; big integers lose what a float64 cannot hold. */
function numberOf(value: unknown): number | undefined {
  // JSON has no -0.
  return typeof value === "number" ? value + 0 : typeof value === "bigint" ? Number(value) : undefined;
}

/** A text on one line of at most so many characters. */
function nameOf(value: unknown, longest: number): string | undefined {
  if (typeof value !== "string") return undefined;
  // deno-lint-ignore no-control-regex -- control characters are what is taken out
  const line = value.toWellFormed().replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`.toWellFormed();
}

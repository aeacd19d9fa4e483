import { CircuitError } from "../errors.ts";
import { requireList, requireObject } from "../guards.ts";

/**
 * A number that changes during training: always the same, or by points `[progress, value]`, progress from 0
 * (first update) to 1 (last), joined by straight lines (`linear`, when left out) or held until the next
 * point (`steps`).
 */
export type Schedule = number | {
  /** `[progress, value]` in order of progress. */
  readonly points: readonly (readonly [progress: number, value: number])[];
  /** What is between two points. */
  readonly between?: "linear" | "steps";
};

/**
 * A step that falls where it brings nothing more: multiplied by `factor` after each round (see {@link courseOf}) that
 * has not made the score better, down to `to`. How long a training takes is so decided by its data.
 */
export interface Falling {
  /** The first step. */
  readonly from: number;
  /** The smallest step. */
  readonly to: number;
  /** From 0 to 1, neither of them; 0.5 when left out. */
  readonly factor?: number;
}

/** Whether a step falls by what it brings, instead of following a plan. */
export function isFalling(step: Schedule | Falling): step is Falling {
  return typeof step === "object" && step !== null && "from" in step;
}

/**
 * Refuses a step that does not fall from a number to a smaller one, both above 0 and at most 1.
 * @throws {CircuitError} naming the number
 */
export function checkFalling({ from, to, factor = 0.5 }: Falling): void {
  if (!(to > 0 && to <= from && from <= 1)) {
    throw new CircuitError(
      "circuit/argument",
      `the step falls from ${from} to ${to}, expected 1 >= from >= to > 0`,
    );
  }
  if (!(factor > 0 && factor < 1)) {
    throw new CircuitError(
      "circuit/argument",
      `the factor by which the step falls is ${factor}, expected one between 0 and 1`,
    );
  }
}

/** The inertia of mini-batch EM as released descendants of latent variable distillation have it. */
export const INERTIA: Schedule = { points: [[0, 0.9], [0.5, 0.99], [1, 0.999]] };

/** Value of a schedule at `progress`, from 0 to 1. */
export function scheduled(schedule: Schedule, progress: number): number {
  if (typeof schedule === "number") return schedule;
  requireObject("the schedule", schedule, ["points"]);
  const { points, between = "linear" } = schedule;
  const next = points.findIndex(([at]) => at > progress);
  const [at, value] = points[next < 0 ? points.length - 1 : Math.max(0, next - 1)] as readonly [
    number,
    number,
  ];
  // Before the first point and after the last one the nearest value holds.
  if (next <= 0 || between === "steps") return value;
  const [toAt, toValue] = points[next] as readonly [number, number];
  return value + (toValue - value) * (progress - at) / (toAt - at);
}

/**
 * Refuses a schedule without points, out of order or with values that are not from 0 to 1.
 * @throws {CircuitError} naming `what`
 */
export function checkSchedule(what: string, schedule: Schedule): void {
  const points = typeof schedule === "number" ? [[0, schedule] as const] : schedule?.points;
  requireList(`the points of the schedule of ${what}`, points);
  if (points.length === 0) {
    throw new CircuitError("circuit/argument", `the schedule of ${what} has no points`);
  }
  points.forEach(([at, value], i) => {
    const before = points[i - 1]?.[0] ?? 0;
    if (!(at >= before && at <= 1)) {
      throw new CircuitError(
        "circuit/argument",
        `point ${i} of the schedule of ${what} is at ${at}, expected ${before} to 1`,
      );
    }
    if (!(value >= 0 && value <= 1)) {
      throw new CircuitError(
        "circuit/argument",
        `the schedule of ${what} has the value ${value}, expected one from 0 to 1`,
      );
    }
  });
}

import { CircuitError } from "../errors.ts";
import { requireList, requireObject } from "../guards.ts";

/**
 * A number that changes during training: constant, or given by points `[progress, value]`, with progress from 0 (first
 * update) to 1 (last), interpolated linearly (`linear`, if omitted) or held until the next point (`steps`).
 */
export type Schedule = number | {
  /** `[progress, value]`, sorted by progress. */
  readonly points: readonly (readonly [progress: number, value: number])[];
  /** How values between two points are found. */
  readonly between?: "linear" | "steps";
};

/**
 * A step that falls when progress stalls: it is multiplied by `factor` after each round (see {@link courseOf}) without an
 * improved score, down to `to`. The data thus decide how long training takes.
 */
export interface Falling {
  /** The first step. */
  readonly from: number;
  /** The smallest step. */
  readonly to: number;
  /** Between 0 and 1, exclusive; 0.5 if omitted. */
  readonly factor?: number;
}

/** Whether a step falls depending on the scores instead of following a schedule. */
export function isFalling(step: Schedule | Falling): step is Falling {
  return typeof step === "object" && step !== null && "from" in step;
}

/**
 * Rejects a step that does not fall from a number to a smaller one, both above 0 and at most 1.
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

/** The inertia schedule of mini-batch EM in published successors of latent variable distillation. */
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
  // Before the first point and after the last one, the nearest value applies.
  if (next <= 0 || between === "steps") return value;
  const [toAt, toValue] = points[next] as readonly [number, number];
  return value + (toValue - value) * (progress - at) / (toAt - at);
}

/**
 * Rejects a schedule without points, out of order, or with values outside 0 to 1.
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

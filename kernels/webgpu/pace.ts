import type { AdapterFacts } from "../../foundation/gpu.ts";

/** Estimated cost of a piece of work; errs on the high side. */
export interface Effort {
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes read and written. */
  readonly bytes: number;
  /** Floating-point operations of the busiest workgroup; default: an equal share. */
  readonly alone?: number;
}

/** Speed of an adapter, measured by tuning.ts. */
export interface Rate {
  /** Floating-point operations per second. */
  readonly flops: number;
  /** The same for a single workgroup with the adapter to itself. */
  readonly alone: number;
  /** Bytes read and written per second. */
  readonly bytes: number;
}

/** Speed of an adapter, and the time limit for work on it. */
export interface Pace {
  /** Speed of the adapter. */
  readonly rate: Rate;
  /** Time limit of a dispatch, and of a submission, in seconds. */
  readonly seconds: number;
}

/**
 * Time limit of a submission, in seconds. Operating systems reset a device that does not respond for about two seconds,
 * and the screen is not updated meanwhile.
 */
export const SUBMISSION_SECONDS = 0.2;

/** Time limit of a submission after `losses` device losses: it is shortened, so that what took too long is not retried. */
export function secondsAfter(losses: number, seconds: number = SUBMISSION_SECONDS): number {
  return seconds / 2 ** losses;
}

/** Operations that a logarithm, an exponential or a division counts as. */
export const TRANSCENDENTAL = 16;

/** Assumed speed of an adapter until it is measured: below that of any adapter in practical use. */
export function cautiousRate({ software }: Pick<AdapterFacts, "software">): Rate {
  return software ? { flops: 4e9, alone: 2e9, bytes: 2e9 } : { flops: 2e11, alone: 5e9, bytes: 1e10 };
}

/** Seconds that an effort takes if it occupies the whole adapter. */
export function secondsOf({ flops, bytes }: Effort, { rate }: Pace): number {
  return flops / rate.flops + bytes / rate.bytes;
}

/** Workgroup counts, or the index of the first workgroup, along three dimensions. */
export type Groups = readonly [number, number, number];

/** A grid and its cost. */
export interface Load {
  /** Number of workgroups. */
  readonly grid: Groups;
  /** Cost of the whole grid. */
  readonly effort: Effort;
  /** Iterations of every workgroup's loop, which may be split across dispatches; default: 1. */
  readonly rounds?: number;
}

/** A box of a grid, and a range of the loop, executed by one dispatch. */
export interface Piece {
  /** Index of the first workgroup. */
  readonly group: Groups;
  /** Number of workgroups. */
  readonly size: Groups;
  /** First iteration of the loop. */
  readonly start: number;
  /** End of the iterations (exclusive). */
  readonly end: number;
  /** Estimated seconds. */
  readonly seconds: number;
}

/**
 * Splits a grid so that no dispatch has more than `most` workgroups along a dimension or exceeds the time limit. Loops
 * are split where a single workgroup would take too long; their parts run in sequence. The smallest piece is one
 * workgroup, or one iteration of it if the loop can be split.
 */
export function piecesOf({ grid, effort, rounds = 1 }: Load, pace: Pace, most: number): Piece[] {
  const [x, y, z] = grid, groups = x * y * z;
  if (groups === 0) return [];
  const seconds = secondsOf(effort, pace);
  const alone = (effort.alone ?? effort.flops / groups) / pace.rate.alone;
  if (seconds <= pace.seconds && alone <= pace.seconds && x <= most && y <= most && z <= most) {
    return [{ group: [0, 0, 0], size: grid, start: 0, end: rounds, seconds: Math.max(seconds, alone) }];
  }
  const longest = Math.max(alone, seconds / groups);
  const length = Math.max(1, Math.min(rounds, Math.floor(rounds * pace.seconds / longest))),
    share = length / rounds;
  const together = Math.max(1, Math.floor(pace.seconds / (seconds / groups * share)));
  const [width, height, depth] = boxOf(grid, together, most);
  const pieces: Piece[] = [];
  for (let k = 0; k < z; k += depth) {
    for (let j = 0; j < y; j += height) {
      for (let i = 0; i < x; i += width) {
        const size = [Math.min(width, x - i), Math.min(height, y - j), Math.min(depth, z - k)] as const;
        for (let start = 0; start < rounds; start += length) {
          const end = Math.min(rounds, start + length), part = (end - start) / rounds;
          pieces.push({
            group: [i, j, k],
            size,
            start,
            end,
            seconds: part * Math.max(alone, seconds * size[0] * size[1] * size[2] / groups),
          });
        }
      }
    }
  }
  return pieces;
}

/** Side lengths of the boxes: whole rows first, then whole planes. */
function boxOf([x, y, z]: Groups, together: number, most: number): Groups {
  const width = Math.min(x, most, together);
  const height = width < x ? 1 : Math.min(y, most, Math.max(1, Math.floor(together / width)));
  const depth = height < y ? 1 : Math.min(z, most, Math.max(1, Math.floor(together / (width * height))));
  return [width, height, depth];
}

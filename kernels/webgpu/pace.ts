import type { AdapterFacts } from "../../foundation/gpu.ts";

/** What a piece of work costs: estimates, rather too much than too little. */
export interface Effort {
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes read and written. */
  readonly bytes: number;
  /** Floating-point operations of the workgroup that has the most to do; its share when left out. */
  readonly alone?: number;
}

/** How fast an adapter is; measured by tuning.ts. */
export interface Rate {
  /** Floating-point operations a second. */
  readonly flops: number;
  /** The same of one workgroup that has the adapter for itself. */
  readonly alone: number;
  /** Bytes a second, read and written. */
  readonly bytes: number;
}

/** How long work may take, and how fast it is done. */
export interface Pace {
  /** How fast the adapter is. */
  readonly rate: Rate;
  /** Seconds that a dispatch, and a submission, may take. */
  readonly seconds: number;
}

/**
 * Seconds that a submission may take. Systems reset a device that does not answer for two seconds or so, and show nothing
 * new on the screen meanwhile.
 */
export const SUBMISSION_SECONDS = 0.2;

/** Seconds that a submission may take after so many losses: what was too long once is not tried again. */
export function secondsAfter(losses: number, seconds: number = SUBMISSION_SECONDS): number {
  return seconds / 2 ** losses;
}

/** Operations that a logarithm, an exponential or a division counts for. */
export const TRANSCENDENTAL = 16;

/** What is believed of an adapter until it is measured: less than any that people compute with. */
export function cautiousRate({ software }: Pick<AdapterFacts, "software">): Rate {
  return software ? { flops: 4e9, alone: 2e9, bytes: 2e9 } : { flops: 2e11, alone: 5e9, bytes: 1e10 };
}

/** Seconds that an effort takes when it occupies the whole adapter. */
export function secondsOf({ flops, bytes }: Effort, { rate }: Pace): number {
  return flops / rate.flops + bytes / rate.bytes;
}

/** Numbers of workgroups, or of the first one, along three dimensions. */
export type Groups = readonly [number, number, number];

/** A grid with what it costs. */
export interface Load {
  /** Its workgroups. */
  readonly grid: Groups;
  /** What all of it costs. */
  readonly effort: Effort;
  /** Rounds of the loop that every workgroup makes and that may be cut; 1 when left out. */
  readonly rounds?: number;
  /** Workgroups that may be done together when the loop is cut: their sums have to be kept; any number when left out. */
  readonly carried?: number;
}

/** A box of a grid, and a part of the loop, that are done by one dispatch. */
export interface Piece {
  /** The first workgroup. */
  readonly group: Groups;
  /** Workgroups. */
  readonly size: Groups;
  /** First round of the loop. */
  readonly start: number;
  /** End of its rounds. */
  readonly end: number;
  /** Seconds that it takes. */
  readonly seconds: number;
}

/**
 * Cuts a grid so that no dispatch has more than `most` workgroups along a dimension, nor takes longer than it may. Loops
 * are cut where one workgroup would take too long; their parts come one after the other. A workgroup, or a round
 * of it where there is a loop to cut, is the least that there is.
 */
export function piecesOf(
  { grid, effort, rounds = 1, carried = Infinity }: Load,
  pace: Pace,
  most: number,
): Piece[] {
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
  const together = Math.min(
    length < rounds ? carried : Infinity,
    Math.max(1, Math.floor(pace.seconds / (seconds / groups * share))),
  );
  const [width, height, depth] = boxOf(grid, Math.max(1, together), most);
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

/** Sides of the boxes: whole rows first, then whole planes. */
function boxOf([x, y, z]: Groups, together: number, most: number): Groups {
  const width = Math.min(x, most, together);
  const height = width < x ? 1 : Math.min(y, most, Math.max(1, Math.floor(together / width)));
  const depth = height < y ? 1 : Math.min(z, most, Math.max(1, Math.floor(together / (width * height))));
  return [width, height, depth];
}

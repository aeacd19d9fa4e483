import { exponent } from "../exponent.ts";
import { type Figure, figure, median } from "../measure.ts";

/** How far an exponent may be above its bound. */
const TOLERANCE = 0.15;

/** Work whose costs grow with one size, and the bounds of their exponents. */
export interface Growing<Cost extends string = string> {
  /** What the size counts: `states`. */
  readonly unit: string;
  /** From small to large, by a factor of 16 at least. */
  readonly sizes: readonly number[];
  /** The exponent that the algorithm of each cost has: 1 where every item costs the same, 2 where every pair does. */
  readonly bounds: Readonly<Record<Cost, number>>;
  /** Does the work for one size; costs are above 0. */
  costs(size: number): Promise<Readonly<Record<Cost, number>>>;
}

/**
 * Does the work for all sizes in turn, several rounds, and fits exponents through the median costs. The spread is that of the
 * rounds, each fitted alone.
 *
 * @throws RangeError when the sizes do not span a factor of 16
 */
export async function measureGrowth<Cost extends string>(
  { unit, sizes, bounds, costs }: Growing<Cost>,
  rounds: number,
): Promise<Figure[]> {
  if (sizes.at(-1)! < 16 * sizes[0]!) throw new RangeError(`${unit}: sizes span a factor of 16 at least`);
  // The first work of all compiles the code, which does not grow.
  await costs(sizes[0]!);
  const measured: Readonly<Record<Cost, number>>[][] = [];
  for (let round = 0; round < rounds; round++) {
    const one = [];
    for (const size of sizes) one.push(await costs(size));
    measured.push(one);
  }
  const span = `${sizes[0]!.toLocaleString("en")} to ${sizes.at(-1)!.toLocaleString("en")} ${unit}`;
  return (Object.keys(bounds) as Cost[]).map((name) => {
    const of = (round: typeof measured[number]) => round.map((one) => one[name]);
    const typical = sizes.map((_, i) => median(measured.map((round) => of(round)[i]!)));
    return {
      ...figure(`${span}: ${name}`, "", measured.map((round) => exponent(sizes, of(round)))),
      value: exponent(sizes, typical),
      target: { atMost: bounds[name] + TOLERANCE },
    };
  });
}

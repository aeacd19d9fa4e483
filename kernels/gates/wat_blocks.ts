/**
 * Sums of products in blocks, as WebAssembly text: float32 adds up a few products, float64 their sums. Most products of a trained
 * model are so small beside the largest that a long sum of float32 drops them, one after the other, and comes out too low each time.
 */
import { RECORD_BYTES, SUM_BYTES } from "./kernels.ts";
import { each, get, lanesOf, set, sumOf, whilst, zero } from "./wat_parts.ts";

/** Products that are added up in float32, in a lane. */
const BLOCK = 16;

/** Adds to a whole number. */
export const increase = (name: string, value: string): string => set(name, sumOf(get(name), value));
/** `acc += a * b`, four float32. */
export const multiplyAdd = (acc: string, a: string, b: string): string =>
  set(acc, `(f32x4.add ${get(acc)} (f32x4.mul ${a} ${b}))`);

/** Of products by a matrix over a list of entries, with room for packed rows. */
export const PRODUCT_PARAMS: string =
  `(param $tile i32) (param $rows i32) (param $cols i32) (param $list i32) (param $n i32)
  (param $realRows i32) (param $realCols i32) (param $scratch i32)`;

/**
 * The body, with `at` from where it is up to `end` by `step` bytes, in blocks of {@link BLOCK}: a block begins with sums `$p` and `$q`
 * of 0, which `fold` adds to others.
 */
export const inBlocks = (at: string, end: string, step: number, body: string, fold: string): string =>
  whilst(
    "Blocks",
    `(i32.lt_u ${get(at)} ${end})`,
    `${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
    ${set("$stop", sumOf(get(at), `(i32.const ${step * BLOCK})`))}
    ${set("$stop", `(select ${get("$stop")} ${end} (i32.lt_u ${get("$stop")} ${end}))`)}
    ${
      whilst(
        "Block",
        `(i32.lt_u ${get(at)} ${get("$stop")})`,
        `${body} ${increase(at, `(i32.const ${step})`)}`,
      )
    }
    ${fold}`,
  );

/** The lower and upper two of four numbers, as float64. */
export const widened = (name: string): readonly [string, string] => [
  `(f64x2.promote_low_f32x4 ${get(name)})`,
  `(f64x2.promote_low_f32x4 ${lanesOf([2, 3, 0, 1], get(name), get(name))})`,
];
/** The sums of two pairs of float64. */
export const pairSum = (a: string, b: string): string => `(f64x2.add ${a} ${b})`;

/** What is read for the second four of eight columns, where a matrix has only four more, is not used. */
export const ifBoth = (code: string): string =>
  `(if (i32.lt_u ${sumOf(get("$j"), "(i32.const 4)")} (local.get $cols)) (then ${code}))`;

/** Where the sum of the first or second four of eight columns of a sample, or of a row of counts, is, in bytes behind `$scratch`. */
export const sumAt = (s: number, k: number): number => RECORD_BYTES + 64 * s + 32 * k;

/** Sets those sums to 0. */
export const clearSums: string = `(memory.fill ${
  sumOf(get("$scratch"), `(i32.const ${RECORD_BYTES})`)
} (i32.const 0) (i32.const ${SUM_BYTES}))`;

/** Adds four sums of float32 to those. */
export function foldFour(s: number, name: string, k: number): string {
  return widened(`$${name}${s}`).map((more, i) => {
    const place = `offset=${sumAt(s, k) + 16 * i} (local.get $scratch)`;
    return `(v128.store ${place} ${pairSum(`(v128.load ${place})`, more)})`;
  }).join(" ");
}

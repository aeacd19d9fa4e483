/** Functions that pack rows of float64 as float32, as WebAssembly text. */
import { get, lanesOf, locals, loop, set, sumOf, times, whilst } from "./wat_parts.ts";

/** The largest number of a row of float64. */
const largest = `
(func $largest (param $of i32) (param $n i32) (result f64)
  ${locals("i32", ["$i"])} ${locals("v128", ["$p", "$q"])}
  ${set("$n", times(get("$n"), 8))}
  ${
  loop(
    "$i",
    "$n",
    32,
    [
      `(local.set $p (f64x2.pmax (local.get $p) (v128.load ${sumOf(get("$of"), get("$i"))})))`,
      `(local.set $q (f64x2.pmax (local.get $q) (v128.load offset=16 ${sumOf(get("$of"), get("$i"))})))`,
    ].join(" "),
  )
}
  (local.set $p (f64x2.pmax (local.get $p) (local.get $q)))
  (f64.max (f64x2.extract_lane 0 (local.get $p)) (f64x2.extract_lane 1 (local.get $p))))`;

/** The power of two below a number; 0 if there is no normal one whose inverse is normal too. */
const power = `
(func $power (param $x f64) (result f64)
  (if (result f64) (i32.and (f64.ge (local.get $x) (f64.const 0x1p-1000)) (f64.lt (local.get $x) (f64.const 0x1p1000)))
    (then (f64.reinterpret_i64 (i64.and (i64.reinterpret_f64 (local.get $x)) (i64.const 0x7ff0000000000000))))
    (else (f64.const 0))))`;

/** Writes a row of float64 times `by` as float32, four and four, `step` bytes apart; 0 for subnormal numbers, which take much time. */
const pack = `
(func $pack (param $of i32) (param $n i32) (param $by f64) (param $to i32) (param $step i32)
  ${locals("i32", ["$end"])} ${locals("v128", ["$v", "$w"])}
  ${set("$v", "(f64x2.splat (local.get $by))")}
  ${set("$end", sumOf(get("$of"), times(get("$n"), 8)))}
  ${
  whilst(
    "Pack",
    "(i32.lt_u (local.get $of) (local.get $end))",
    `${
      set(
        "$w",
        lanesOf(
          [0, 1, 4, 5],
          "(f32x4.demote_f64x2_zero (f64x2.mul (local.get $v) (v128.load (local.get $of))))",
          "(f32x4.demote_f64x2_zero (f64x2.mul (local.get $v) (v128.load offset=16 (local.get $of))))",
        ),
      )
    }
    (v128.store (local.get $to) (v128.andnot (local.get $w)
      (f32x4.lt (local.get $w) (f32x4.splat (f32.const 0x1p-126)))))
    ${set("$of", sumOf(get("$of"), "(i32.const 32)"))} ${set("$to", sumOf(get("$to"), get("$step")))}`,
  )
})`;

/** All of them. */
export const packing = [largest, power, pack].join("\n");

/** Functions over rows of float64, as WebAssembly text. */
import { get, locals, loop, set, sumOf, times, zero } from "./wat_parts.ts";

/** A function over a list of entries of `size` bytes, which `body` reads at `$list` and works on row by row. */
const overRows = (
  name: string,
  size: number,
  more: string,
  before: string,
  row: string,
  after = "",
): string => `
(func (export "${name}") (param $list i32) (param $n i32)
  ${locals("i32", ["$end", "$j", "$length", "$to", "$a", "$b", "$exponent"])} ${more}
  (local.set $end ${sumOf(get("$list"), times(get("$n"), size))})
  (block $done (loop $more
    (br_if $done (i32.ge_u (local.get $list) (local.get $end)))
    ${before}
    (local.set $length ${times(get("$length"), 8)})
    ${loop("$j", "$length", 16, row)}
    ${after}
    (local.set $list ${sumOf(get("$list"), `(i32.const ${size})`)})
    (br $more))))`;
const field = (name: string, at: number): string => set(name, `(i32.load offset=${at} (local.get $list))`);
const row = (pointer: string): string => sumOf(get(pointer), get("$j"));
const load = (pointer: string): string => `(v128.load ${row(pointer)})`;
const store = (pointer: string, value: string): string => `(v128.store ${row(pointer)} ${value})`;

/** `to = a * b`: to, a, b, length. */
const product = overRows(
  "product",
  16,
  "",
  field("$to", 0) + field("$a", 4) + field("$b", 8) + field("$length", 12),
  store("$to", `(f64x2.mul ${load("$a")} ${load("$b")})`),
);

/** `to += a / b` where `a` is not zero: to, a, b, length. */
const share = overRows(
  "share",
  16,
  "(local $v v128)",
  field("$to", 0) + field("$a", 4) + field("$b", 8) + field("$length", 12),
  set("$v", load("$a")) +
    store(
      "$to",
      `(f64x2.add ${load("$to")} (v128.andnot (f64x2.div (local.get $v) ${
        load("$b")
      }) (f64x2.eq (local.get $v) ${zero})))`,
    ),
);

/** `to += by * a`: to, a, length, unused, by (float64). */
const addRow = overRows(
  "addRow",
  24,
  "(local $by v128)",
  field("$to", 0) + field("$a", 4) + field("$length", 8) +
    set("$by", "(v128.load64_splat offset=16 (local.get $list))"),
  store("$to", `(f64x2.add ${load("$to")} (f64x2.mul (local.get $by) ${load("$a")}))`),
);

/** Sets rows to zero: to, length. */
const clear = overRows("clear", 8, "", field("$to", 0) + field("$length", 4), store("$to", zero));

/**
 * Divides a row by a power of two, so that its largest number is from 1 to 2: to, length, and after it the exponent that
 * this writes (the least integer for a row of zeros) and 1 if a number other than 0 is below 2^-400 of the largest.
 */
const finish = `
${
  overRows(
    "finish",
    16,
    `${locals("v128", ["$v", "$most", "$least"])} ${locals("f64", ["$m", "$l"])}`,
    field("$to", 0) + field("$length", 4) + set("$most", zero) +
      set("$least", "(v128.const f64x2 inf inf)"),
    `
    (local.set $v ${load("$to")})
    (local.set $most (f64x2.pmax (local.get $most) (local.get $v)))
    (local.set $least (f64x2.pmin (local.get $least)
      (v128.bitselect (v128.const f64x2 inf inf) (local.get $v) (f64x2.eq (local.get $v) ${zero}))))`,
    `
    (local.set $m (f64.max (f64x2.extract_lane 0 (local.get $most)) (f64x2.extract_lane 1 (local.get $most))))
    (local.set $l (f64.min (f64x2.extract_lane 0 (local.get $least)) (f64x2.extract_lane 1 (local.get $least))))
    (local.set $exponent (i32.const -2147483648))
    (if (f64.gt (local.get $m) (f64.const 0)) (then
      (local.set $exponent (i32.sub (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get $m)) (i64.const 52)))
        (i32.const 1023)))
      (local.set $v (f64x2.splat (f64.reinterpret_i64 (i64.shl (i64.extend_i32_s
        (i32.sub (i32.const 1023) (local.get $exponent))) (i64.const 52)))))
      ${
      loop("$j", "$length", 16, store("$to", `(f64x2.mul ${load("$to")} (local.get $v))`)).replaceAll(
        "breakj",
        "break2",
      ).replaceAll("nextj", "next2")
    }))
    (i32.store offset=8 (local.get $list) (local.get $exponent))
    (i32.store offset=12 (local.get $list)
      (f64.lt (local.get $l) (f64.mul (local.get $m) (f64.const 0x1p-400))))`,
  )
}`;

/** All of them. */
export const rowFunctions = [product, share, addRow, clear, finish].join("\n");

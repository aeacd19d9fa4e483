/**
 * Products in single precision, four numbers at a time, as WebAssembly text: what learning takes where nobody asks for more. Rows
 * stay float64; they are packed as float32 over the power of two below their largest number. A sum that comes out below 2^-90 of that,
 * of which float32 may have lost a part, is made again in double precision, so nothing is out of range that was in it before.
 */
import { PANEL, RATIO_SCALE } from "./kernels.ts";
import { packing } from "./wat_packing.ts";
import { EACH, each, get, lanesOf, locals, loop, mul, set, sumOf, times, whilst, zero } from "./wat_parts.ts";

const add = (name: string, value: string): string => set(name, sumOf(get(name), value));
const fma = (acc: string, a: string, b: string): string =>
  set(acc, `(f32x4.add ${get(acc)} (f32x4.mul ${a} ${b}))`);

/**
 * Packs a row for products and writes to its record what it was divided by, times the factor of its entry, and what a sum must come to;
 * nothing need come of a row of zeros, and all sums with a row out of range are made again.
 */
const prepare = `
(func $prepare (param $entry i32) (param $n i32) (param $packed i32) (param $record i32)
  (local $of i32) ${locals("f64", ["$most", "$scale"])}
  ${set("$of", "(i32.load offset=4 (local.get $entry))")}
  ${set("$most", "(call $largest (local.get $of) (local.get $n))")}
  ${set("$scale", "(call $power (local.get $most))")}
  (f64.store (local.get $record) (f64.mul (local.get $scale) (f64.load offset=8 (local.get $entry))))
  (f32.store offset=8 (local.get $record)
    (select (select (f32.const 0x1p-90) (f32.const inf) (f64.gt (local.get $scale) (f64.const 0)))
      (f32.const -1) (f64.ne (local.get $most) (f64.const 0))))
  (call $pack (local.get $of) (local.get $n)
    (select (f64.div (f64.const 1) (local.get $scale)) (f64.const 0) (f64.gt (local.get $scale) (f64.const 0)))
    (local.get $packed) (i32.const 16)))`;

/** Adds a sum to its row, made again, if need be, of weights that are `step` bytes apart and the row of the entry itself. */
const settle = `
(func $settle (param $entry i32) (param $record i32) (param $o i32) (param $sum f32)
    (param $a i32) (param $step i32) (param $n i32)
  (local $of i32) (local $exact f64)
  (if (f32.lt (local.get $sum) (f32.load offset=8 (local.get $record)))
    (then
      ${set("$of", "(i32.load offset=4 (local.get $entry))")}
      ${
  whilst(
    "Exact",
    get("$n"),
    `(local.set $exact (f64.add (local.get $exact)
        (f64.mul (f64.promote_f32 (f32.load (local.get $a))) (f64.load (local.get $of)))))
      ${add("$a", get("$step"))} ${add("$of", "(i32.const 8)")}
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))`,
  )
}
      (local.set $exact (f64.mul (local.get $exact) (f64.load offset=8 (local.get $entry)))))
    (else (local.set $exact (f64.mul (f64.promote_f32 (local.get $sum)) (f64.load (local.get $record))))))
  ${add("$o", "(i32.load (local.get $entry))")}
  (f64.store (local.get $o) (f64.add (f64.load (local.get $o)) (local.get $exact))))`;

const PARAMS = `(param $tile i32) (param $rows i32) (param $cols i32) (param $list i32) (param $n i32)
  (param $realRows i32) (param $realCols i32) (param $scratch i32)`;

/** Takes entries four at a time, their rows of `$length` numbers packed behind their records; the last ones in double precision. */
const fours = (name: string, length: string, body: string): string => `
  (local.set $end ${sumOf(get("$list"), times("(i32.and (local.get $n) (i32.const -4))", 16))})
  ${each((s) => set(`$x${s}`, sumOf(sumOf(get("$scratch"), "(i32.const 64)"), times(length, 4 * s))))}
  ${
  whilst(
    "Fours",
    "(i32.lt_u (local.get $list) (local.get $end))",
    `
    ${
      each((s) => `
    ${set(`$to${s}`, `(i32.load offset=${16 * s} (local.get $list))`)}
    (call $prepare ${entry(s)} ${length} (local.get $x${s}) ${record(s)})
    ${set(`$by${s}`, `(v128.load64_splat offset=${16 * s} (local.get $scratch))`)}`)
    }
    ${body}
    ${add("$list", "(i32.const 64)")}`,
  )
}
  (call $${name} (local.get $tile) (local.get $rows) (local.get $cols) (local.get $list) (i32.and (local.get $n) (i32.const 3)))`;

function entry(s: number): string {
  return sumOf(get("$list"), `(i32.const ${16 * s})`);
}
function record(s: number): string {
  return sumOf(get("$scratch"), `(i32.const ${16 * s})`);
}

const fourLocals = [
  locals("i32", ["$end", "$i", "$j", "$a", "$b", "$o", ...EACH.flatMap((s) => [`$to${s}`, `$x${s}`])]),
  locals("v128", ["$v", "$w", "$t0", "$t1", ...EACH.flatMap((s) => [`$by${s}`, `$p${s}`, `$q${s}`])]),
].join(" ");

/** The sums over the lanes of four vectors. */
const sumsOver = (to: string, name: string): string => {
  const [a, b, c, d] = EACH.map((s) => get(`$${name}${s}`)) as [string, string, string, string];
  return `
    (local.set $v (f32x4.add ${lanesOf([0, 4, 1, 5], a, b)} ${lanesOf([2, 6, 3, 7], a, b)}))
    (local.set $w (f32x4.add ${lanesOf([0, 4, 1, 5], c, d)} ${lanesOf([2, 6, 3, 7], c, d)}))
    ${
    set(
      to,
      `(f32x4.add ${lanesOf([0, 1, 4, 5], get("$v"), get("$w"))} ${
        lanesOf([2, 3, 6, 7], get("$v"), get("$w"))
      })`,
    )
  }`;
};

/** `to += by * (matrix of)`: rows two at a time, four samples at a time. */
const forward = `
(func $forwardSingle ${PARAMS}
  ${fourLocals} (local $limits v128)
  ${
  fours(
    "forward",
    get("$cols"),
    `
    ${
      each((s) =>
        set(
          "$limits",
          `(v128.load32_lane offset=${16 * s + 8} ${s} (local.get $scratch) (local.get $limits))`,
        )
      )
    }
    (local.set $a (local.get $tile))
    ${
      loop(
        "$i",
        "$rows",
        2,
        `
      (local.set $o ${times(get("$cols"), 4)})
      (local.set $b ${sumOf(get("$a"), get("$o"))})
      ${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
      ${
          loop(
            "$j",
            "$o",
            16,
            `
        (local.set $v (v128.load ${sumOf(get("$a"), get("$j"))}))
        (local.set $w (v128.load ${sumOf(get("$b"), get("$j"))}))
        ${
              each((s) => `
        (local.set $t0 (v128.load ${sumOf(get(`$x${s}`), get("$j"))}))
        ${fma(`$p${s}`, get("$v"), get("$t0"))} ${fma(`$q${s}`, get("$w"), get("$t0"))}`)
            }`,
          )
        }
      ${sumsOver("$t0", "p")}
      ${sumsOver("$t1", "q")}
      (local.set $o ${times(get("$i"), 8)})
      (if (v128.any_true (v128.or (f32x4.lt (local.get $t0) (local.get $limits)) (f32x4.lt (local.get $t1) (local.get $limits))))
        (then
          ${
          [0, 1].map((r) => `
          (if (i32.lt_u ${sumOf(get("$i"), `(i32.const ${r})`)} (local.get $realRows)) (then ${
            each((s) => `
            (call $settle ${entry(s)} ${record(s)} ${sumOf(get("$o"), `(i32.const ${8 * r})`)}
              (f32x4.extract_lane ${s} (local.get $t${r})) (local.get ${
              r === 0 ? "$a" : "$b"
            }) (i32.const 4) (local.get $realCols))`)
          }))`).join("")
        })
        (else
          ${set("$v", lanesOf([0, 4, 1, 5], get("$t0"), get("$t1")))}
          ${set("$w", lanesOf([2, 6, 3, 7], get("$t0"), get("$t1")))}
          ${each((s) => addTo(s, 0, s % 2 === 0 ? low(s < 2 ? "$v" : "$w") : high(s < 2 ? "$v" : "$w")))}))
      (local.set $a ${sumOf(get("$b"), times(get("$cols"), 4))})`,
      )
    }`,
  )
})`;

function low(name: string): string {
  return `(f64x2.promote_low_f32x4 ${get(name)})`;
}
function high(name: string): string {
  return `(f64x2.promote_low_f32x4 ${lanesOf([2, 3, 0, 1], get(name), get(name))})`;
}
/** Adds two numbers, times the factor of a sample, to its row at `$o`. */
function addTo(s: number, offset: number, value: string): string {
  return `
  (v128.store offset=${offset} ${sumOf(get(`$to${s}`), get("$o"))} (f64x2.add (v128.load offset=${offset} ${
    sumOf(get(`$to${s}`), get("$o"))
  }) (f64x2.mul (local.get $by${s}) ${value})))`;
}

/** What is read for the second four of eight columns, where a matrix has only four more, is not used. */
const ifBoth = (code: string): string =>
  `(if (i32.lt_u ${sumOf(get("$j"), "(i32.const 4)")} (local.get $cols)) (then ${code}))`;

/** `to += by * (transposed matrix of)`: columns eight at a time, four samples at a time. */
const backward = `
(func $backwardSingle ${PARAMS}
  ${fourLocals}
  ${
  fours(
    "backward",
    get("$rows"),
    loop(
      "$j",
      "$cols",
      8,
      `
    ${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
    (local.set $a ${sumOf(get("$tile"), times(get("$j"), 4))})
    (local.set $o (i32.const 0))
    ${
        loop(
          "$i",
          "$rows",
          1,
          `
      (local.set $t0 (v128.load (local.get $a)))
      (local.set $t1 (v128.load offset=16 (local.get $a)))
      ${
            each((s) => `
      (local.set $v (v128.load32_splat ${sumOf(get(`$x${s}`), get("$o"))}))
      ${fma(`$p${s}`, get("$t0"), get("$v"))} ${fma(`$q${s}`, get("$t1"), get("$v"))}`)
          }
      ${add("$a", times(get("$cols"), 4))} ${add("$o", "(i32.const 4)")}`,
        )
      }
    (local.set $o ${times(get("$j"), 8)})
    ${each((s) => putFour(s, "p", 0))}
    ${ifBoth(each((s) => putFour(s, "q", 1)))}`,
    ),
  )
})`;

/** Adds the sums of four columns to the row of a sample. */
function putFour(s: number, name: string, k: number): string {
  const own = get(`$${name}${s}`);
  return `
    (if (v128.any_true (f32x4.lt ${own} (v128.load32_splat offset=${16 * s + 8} (local.get $scratch))))
      (then (call $settleFour ${entry(s)} ${record(s)} ${own} (local.get $tile) ${
    sumOf(get("$j"), `(i32.const ${4 * k})`)
  } (local.get $cols) (local.get $realRows) (local.get $realCols)))
      (else ${addTo(s, 32 * k, low(`$${name}${s}`))} ${addTo(s, 32 * k + 16, high(`$${name}${s}`))}))`;
}

/** {@link settle} for four columns. */
const settleFour = `
(func $settleFour (param $entry i32) (param $record i32) (param $sums v128) (param $tile i32) (param $j i32)
    (param $cols i32) (param $realRows i32) (param $realCols i32)
  ${
  each((lane) => `
  (if (i32.lt_u (local.get $j) (local.get $realCols)) (then
    (call $settle (local.get $entry) (local.get $record) ${
    times(get("$j"), 8)
  } (f32x4.extract_lane ${lane} (local.get $sums))
      ${sumOf(get("$tile"), times(get("$j"), 4))} ${times(get("$cols"), 4)} (local.get $realRows))))
  ${add("$j", "(i32.const 1)")}`)
})`;

/** A block of four rows and eight columns, over the packed entries. */
const block = `
  ${each((r) => set(`$p${r}`, zero) + set(`$q${r}`, zero))}
  (local.set $g ${sumOf(get("$scratch"), mul(get("$i"), get("$panel")))})
  (local.set $x ${sumOf(get("$others"), mul(get("$j"), get("$panel")))})
  (local.set $o ${sumOf(get("$g"), get("$size"))})
  ${
  whilst(
    "Entries",
    "(i32.lt_u (local.get $g) (local.get $o))",
    `
    (local.set $t0 (v128.load (local.get $x)))
    (local.set $t1 (v128.load offset=${4 * PANEL} (local.get $x)))
    ${
      each((r) => `
    (local.set $v (v128.load32_splat offset=${4 * r} (local.get $g)))
    ${fma(`$p${r}`, get("$v"), get("$t0"))} ${fma(`$q${r}`, get("$v"), get("$t1"))}`)
    }
    ${add("$g", "(i32.const 16)")} ${add("$x", "(i32.const 16)")}`,
  )
}
  (local.set $c ${sumOf(get("$tile"), times(sumOf(mul(get("$i"), get("$cols")), get("$j")), 4))})
  ${
  each((r) => `
  ${addCounts(0, `$p${r}`)} ${ifBoth(addCounts(16, `$q${r}`))}
  ${add("$c", times(get("$cols"), 4))}`)
}`;

function addCounts(offset: number, name: string): string {
  return `(v128.store offset=${offset} (local.get $c) (f32x4.add (v128.load offset=${offset} (local.get $c))
    (f32x4.mul ${get(name)} (f32x4.splat (f32.const ${RATIO_SCALE})))))`;
}

/**
 * `tile += by * outer product of two rows`, summed over at most `ENTRIES` entries. The rows are packed four numbers by four, those
 * of all entries together. An entry whose factors float32 cannot hold is counted in double precision.
 */
const count = `
(func $countSingle ${PARAMS}
  ${locals("i32", ["$end", "$i", "$j", "$g", "$x", "$o", "$c", "$panel", "$others", "$size"])}
  ${locals("f64", ["$by", "$most", "$scale"])}
  ${locals("v128", ["$v", "$t0", "$t1", ...EACH.flatMap((r) => [`$p${r}`, `$q${r}`])])}
  (local.set $end ${sumOf(get("$list"), times(get("$n"), 16))})
  (local.set $panel (i32.const ${PANEL}))
  (local.set $others ${sumOf(get("$scratch"), mul(get("$panel"), get("$rows")))})
  ${
  whilst(
    "List",
    "(i32.lt_u (local.get $list) (local.get $end))",
    `
    (local.set $g (i32.load (local.get $list)))
    (local.set $x (i32.load offset=4 (local.get $list)))
    (local.set $most (call $largest (local.get $g) (local.get $rows)))
    (local.set $scale (call $power (local.get $most)))
    (local.set $by (f64.mul (f64.load offset=8 (local.get $list)) (f64.mul (local.get $scale) (f64.const ${
      1 / RATIO_SCALE
    }))))
    ;; What is lost of a use is below 2^-46.
    (if (i32.and (f64.gt (local.get $scale) (f64.const 0))
        (f64.lt (f64.mul (local.get $by) (call $largest (local.get $x) (local.get $cols))) (f64.const 0x1p80)))
      (then
        (call $pack (local.get $g) (local.get $rows) (f64.div (f64.const 1) (local.get $scale))
          ${sumOf(get("$scratch"), get("$size"))} (i32.const ${4 * PANEL}))
        (call $pack (local.get $x) (local.get $cols) (local.get $by)
          ${sumOf(get("$others"), get("$size"))} (i32.const ${4 * PANEL}))
        ${add("$size", "(i32.const 16)")})
      (else (if (f64.ne (local.get $most) (f64.const 0)) (then
        (call $count (local.get $tile) (local.get $rows) (local.get $cols) (local.get $list) (i32.const 1))))))
    ${add("$list", "(i32.const 16)")}`,
  )
}
  ${loop("$i", "$rows", 4, loop("$j", "$cols", 8, block))}
)`;

/** Runs of a matrix over a list of entries, with room for packed rows. */
const runs = (name: string): string => `
(func (export "${name}Single") (param $run i32) (param $runs i32) (param $scratch i32)
  (local $end i32)
  (local.set $end ${sumOf(get("$run"), times(get("$runs"), 28))})
  ${
  whilst(
    "Runs",
    "(i32.lt_u (local.get $run) (local.get $end))",
    `(call $${name}Single ${
      [0, 4, 8, 12, 16, 20, 24].map((at) => `(i32.load offset=${at} (local.get $run))`).join(" ")
    } (local.get $scratch)) ${add("$run", "(i32.const 28)")}`,
  )
})`;

/** All of them; they stand beside `$forward`, `$backward` and `$count`. */
export const singleFunctions = [
  packing,
  ...[prepare, settle, settleFour, forward, backward, count],
  ...["forward", "backward", "count"].map(runs),
].join("\n");

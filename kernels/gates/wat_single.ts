/**
 * Products in single precision, four numbers at a time, as WebAssembly text: what learning takes where nobody asks for more. Rows
 * stay float64; they are packed as float32 over the power of two below their largest number. A sum that comes out below 2^-90 of that,
 * of which float32 may have lost a part, is made again in double precision, so nothing is out of range that was in it before.
 */
import { RECORD_BYTES, SUM_BYTES } from "./kernels.ts";
import {
  clearSums,
  foldFour,
  ifBoth,
  inBlocks,
  increase,
  multiplyAdd,
  pairSum,
  PRODUCT_PARAMS,
  sumAt,
  widened,
} from "./wat_blocks.ts";
import { countSingle } from "./wat_counts.ts";
import { packing } from "./wat_packing.ts";
import { EACH, each, get, lanesOf, locals, loop, set, sumOf, times, whilst, zero } from "./wat_parts.ts";

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
  (f64.store offset=8 (local.get $record)
    (select (select (f64.const 0x1p-90) (f64.const inf) (f64.gt (local.get $scale) (f64.const 0)))
      (f64.const -1) (f64.ne (local.get $most) (f64.const 0))))
  (call $pack (local.get $of) (local.get $n)
    (select (f64.div (f64.const 1) (local.get $scale)) (f64.const 0) (f64.gt (local.get $scale) (f64.const 0)))
    (local.get $packed) (i32.const 16)))`;

/** Adds a sum to its row, made again, if need be, of weights that are `step` bytes apart and the row of the entry itself. */
const settle = `
(func $settle (param $entry i32) (param $record i32) (param $o i32) (param $sum f64)
    (param $a i32) (param $step i32) (param $n i32)
  (local $of i32) (local $exact f64)
  (if (f64.lt (local.get $sum) (f64.load offset=8 (local.get $record)))
    (then
      ${set("$of", "(i32.load offset=4 (local.get $entry))")}
      ${
  whilst(
    "Exact",
    get("$n"),
    `(local.set $exact (f64.add (local.get $exact)
        (f64.mul (f64.promote_f32 (f32.load (local.get $a))) (f64.load (local.get $of)))))
      ${increase("$a", get("$step"))} ${increase("$of", "(i32.const 8)")}
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))`,
  )
}
      (local.set $exact (f64.mul (local.get $exact) (f64.load offset=8 (local.get $entry)))))
    (else (local.set $exact (f64.mul (local.get $sum) (f64.load (local.get $record))))))
  ${increase("$o", "(i32.load (local.get $entry))")}
  (f64.store (local.get $o) (f64.add (f64.load (local.get $o)) (local.get $exact))))`;

/** Takes entries four at a time, their rows of `$length` numbers packed behind their records and sums; the last ones in double precision. */
const fours = (name: string, length: string, body: string): string => `
  (local.set $end ${sumOf(get("$list"), times("(i32.and (local.get $n) (i32.const -4))", 16))})
  ${
  each((s) =>
    set(
      `$x${s}`,
      sumOf(sumOf(get("$scratch"), `(i32.const ${RECORD_BYTES + SUM_BYTES})`), times(length, 4 * s)),
    )
  )
}
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
    ${increase("$list", "(i32.const 64)")}`,
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
  locals("i32", [
    "$end",
    "$i",
    "$j",
    "$a",
    "$b",
    "$o",
    "$stop",
    ...EACH.flatMap((s) => [`$to${s}`, `$x${s}`]),
  ]),
  locals("v128", ["$v", "$w", "$x", "$t0", "$t1", ...EACH.flatMap((s) => [`$by${s}`, `$p${s}`, `$q${s}`])]),
].join(" ");

/** Adds the sums over the lanes of four vectors to two pairs of float64. */
const foldLanes = (name: string, pairs: readonly string[]): string => {
  const [a, b, c, d] = EACH.map((s) => get(`$${name}${s}`)) as [string, string, string, string];
  return `
    (local.set $v (f32x4.add ${lanesOf([0, 4, 1, 5], a, b)} ${lanesOf([2, 6, 3, 7], a, b)}))
    (local.set $w (f32x4.add ${lanesOf([0, 4, 1, 5], c, d)} ${lanesOf([2, 6, 3, 7], c, d)}))
    ${
    set(
      "$v",
      `(f32x4.add ${lanesOf([0, 1, 4, 5], get("$v"), get("$w"))} ${
        lanesOf([2, 3, 6, 7], get("$v"), get("$w"))
      })`,
    )
  }
    ${widened("$v").map((more, i) => set(pairs[i]!, pairSum(get(pairs[i]!), more))).join(" ")}`;
};

/** By row: the sums of two and of two samples. */
const SUMS_OF_ROWS = [["$t0", "$t1"], ["$t2", "$t3"]] as const;

/** `to += by * (matrix of)`: rows two at a time, four samples at a time. */
const forward = `
(func $forwardSingle ${PRODUCT_PARAMS}
  ${fourLocals} ${locals("v128", ["$t2", "$t3", "$limits0", "$limits1"])}
  ${
  fours(
    "forward",
    get("$cols"),
    `
    ${
      each((s) =>
        set(
          `$limits${s >> 1}`,
          `(v128.load64_lane offset=${16 * s + 8} ${s % 2} (local.get $scratch) (local.get $limits${
            s >> 1
          }))`,
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
      ${SUMS_OF_ROWS.flat().map((pair) => set(pair, zero)).join(" ")}
      (local.set $j (i32.const 0))
      ${
          inBlocks(
            "$j",
            get("$o"),
            16,
            `
        (local.set $v (v128.load ${sumOf(get("$a"), get("$j"))}))
        (local.set $w (v128.load ${sumOf(get("$b"), get("$j"))}))
        ${
              each((s) => `
        (local.set $x (v128.load ${sumOf(get(`$x${s}`), get("$j"))}))
        ${multiplyAdd(`$p${s}`, get("$v"), get("$x"))} ${multiplyAdd(`$q${s}`, get("$w"), get("$x"))}`)
            }`,
            foldLanes("p", SUMS_OF_ROWS[0]) + foldLanes("q", SUMS_OF_ROWS[1]),
          )
        }
      (local.set $o ${times(get("$i"), 8)})
      (if ${anyBelow(SUMS_OF_ROWS.flatMap((pairs) => pairs.map((sum, i) => [get(sum), get(`$limits${i}`)])))}
        (then
          ${
          SUMS_OF_ROWS.map((pairs, r) => `
          (if (i32.lt_u ${sumOf(get("$i"), `(i32.const ${r})`)} (local.get $realRows)) (then ${
            each((s) => `
            (call $settle ${entry(s)} ${record(s)} ${sumOf(get("$o"), `(i32.const ${8 * r})`)}
              (f64x2.extract_lane ${s % 2} ${get(pairs[s >> 1]!)}) (local.get ${
              r === 0 ? "$a" : "$b"
            }) (i32.const 4) (local.get $realCols))`)
          }))`).join("")
        })
        (else
          ${
          each((s) => {
            const [one, other] = SUMS_OF_ROWS.map((pairs) => get(pairs[s >> 1]!)) as [string, string];
            return addTo(s, 0, lanesOf(s % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7], one, other));
          })
        }))
      (local.set $a ${sumOf(get("$b"), times(get("$cols"), 4))})`,
      )
    }`,
  )
})`;

/** Whether one of some pairs of sums is below the limit of its sample. */
function anyBelow(pairs: readonly (readonly [string, string])[]): string {
  const below = pairs.map(([sum, limit]) => `(f64x2.lt ${sum} ${limit})`);
  return `(v128.any_true ${below.reduce((a, b) => `(v128.or ${a} ${b})`)})`;
}

/** Adds two numbers, times the factor of a sample, to its row at `$o`. */
function addTo(s: number, offset: number, value: string): string {
  const place = `offset=${offset} ${sumOf(get(`$to${s}`), get("$o"))}`;
  return `
  (v128.store ${place} ${pairSum(`(v128.load ${place})`, `(f64x2.mul (local.get $by${s}) ${value})`)})`;
}

/** `to += by * (transposed matrix of)`: columns eight at a time, four samples at a time. */
const backward = `
(func $backwardSingle ${PRODUCT_PARAMS}
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
    ${clearSums}
    (local.set $a ${sumOf(get("$tile"), times(get("$j"), 4))})
    (local.set $o (i32.const 0))
    ${
        inBlocks(
          "$o",
          times(get("$rows"), 4),
          4,
          `
      (local.set $t0 (v128.load (local.get $a)))
      (local.set $t1 (v128.load offset=16 (local.get $a)))
      ${
            each((s) => `
      (local.set $v (v128.load32_splat ${sumOf(get(`$x${s}`), get("$o"))}))
      ${multiplyAdd(`$p${s}`, get("$t0"), get("$v"))} ${multiplyAdd(`$q${s}`, get("$t1"), get("$v"))}`)
          }
      ${increase("$a", times(get("$cols"), 4))}`,
          each((s) => foldFour(s, "p", 0) + foldFour(s, "q", 1)),
        )
      }
    (local.set $o ${times(get("$j"), 8)})
    ${each((s) => putFour(s, 0))}
    ${ifBoth(each((s) => putFour(s, 1)))}`,
    ),
  )
})`;

/** Adds the sums of four columns to the row of a sample. */
function putFour(s: number, k: number): string {
  const limit = `(v128.load64_splat offset=${16 * s + 8} (local.get $scratch))`;
  return `
    (local.set $t0 (v128.load offset=${sumAt(s, k)} (local.get $scratch)))
    (local.set $t1 (v128.load offset=${sumAt(s, k) + 16} (local.get $scratch)))
    (if ${anyBelow([[get("$t0"), limit], [get("$t1"), limit]])}
      (then (call $settleFour ${entry(s)} ${record(s)} ${sumOf(get("$scratch"), `(i32.const ${sumAt(s, k)})`)}
        (local.get $tile) ${
    sumOf(get("$j"), `(i32.const ${4 * k})`)
  } (local.get $cols) (local.get $realRows) (local.get $realCols)))
      (else ${addTo(s, 32 * k, get("$t0"))} ${addTo(s, 32 * k + 16, get("$t1"))}))`;
}

/** {@link settle} for four columns. */
const settleFour = `
(func $settleFour (param $entry i32) (param $record i32) (param $sums i32) (param $tile i32) (param $j i32)
    (param $cols i32) (param $realRows i32) (param $realCols i32)
  (local $end i32)
  (local.set $end ${sumOf(get("$j"), "(i32.const 4)")})
  (local.set $end (select (local.get $end) (local.get $realCols) (i32.lt_u (local.get $end) (local.get $realCols))))
  ${
  whilst(
    "Columns",
    "(i32.lt_u (local.get $j) (local.get $end))",
    `(call $settle (local.get $entry) (local.get $record) ${times(get("$j"), 8)} (f64.load (local.get $sums))
      ${sumOf(get("$tile"), times(get("$j"), 4))} ${times(get("$cols"), 4)} (local.get $realRows))
    ${increase("$sums", "(i32.const 8)")} ${increase("$j", "(i32.const 1)")}`,
  )
})`;

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
    } (local.get $scratch)) ${increase("$run", "(i32.const 28)")}`,
  )
})`;

/** All of them; they stand beside `$forward`, `$backward` and `$count`. */
export const singleFunctions = [
  packing,
  ...[prepare, settle, settleFour, forward, backward, countSingle],
  ...["forward", "backward", "count"].map(runs),
].join("\n");

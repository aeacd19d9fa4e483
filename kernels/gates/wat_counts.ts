/** Counts in single precision, as WebAssembly text. */
import { PANEL, RATIO_SCALE, RECORD_BYTES, SUM_BYTES } from "./kernels.ts";
import {
  clearSums,
  foldFour,
  ifBoth,
  inBlocks,
  increase,
  multiplyAdd,
  PRODUCT_PARAMS,
  sumAt,
} from "./wat_blocks.ts";
import { EACH, each, get, lanesOf, locals, loop, mul, sumOf, times, whilst } from "./wat_parts.ts";

/** Four rows and eight columns, over the packed entries. */
const countBlock = `
  ${clearSums}
  (local.set $g ${sumOf(get("$packed"), mul(get("$i"), get("$panel")))})
  (local.set $x ${sumOf(get("$others"), mul(get("$j"), get("$panel")))})
  (local.set $o ${sumOf(get("$g"), get("$size"))})
  ${
  inBlocks(
    "$g",
    get("$o"),
    16,
    `
    (local.set $t0 (v128.load (local.get $x)))
    (local.set $t1 (v128.load offset=${4 * PANEL} (local.get $x)))
    ${
      each((r) => `
    (local.set $v (v128.load32_splat offset=${4 * r} (local.get $g)))
    ${multiplyAdd(`$p${r}`, get("$v"), get("$t0"))} ${multiplyAdd(`$q${r}`, get("$v"), get("$t1"))}`)
    }
    ${increase("$x", "(i32.const 16)")}`,
    each((r) => foldFour(r, "p", 0) + foldFour(r, "q", 1)),
  )
}
  (local.set $c ${sumOf(get("$tile"), times(sumOf(mul(get("$i"), get("$cols")), get("$j")), 4))})
  ${
  each((r) => `
  ${addCounts(r, 0)} ${ifBoth(addCounts(r, 1))}
  ${increase("$c", times(get("$cols"), 4))}`)
}`;

/** Adds the sums of four columns to their counts. */
function addCounts(r: number, k: number): string {
  const [low, high] = [0, 16].map((more) =>
    `(f32x4.demote_f64x2_zero (f64x2.mul (f64x2.splat (f64.const ${RATIO_SCALE}))
      (v128.load offset=${sumAt(r, k) + more} (local.get $scratch))))`
  ) as [string, string];
  const place = `offset=${16 * k} (local.get $c)`;
  return `(v128.store ${place} (f32x4.add (v128.load ${place}) ${lanesOf([0, 1, 4, 5], low, high)}))`;
}

/**
 * `tile += by * outer product of two rows`, summed over at most `ENTRIES` entries. The rows are packed four numbers by four, those
 * of all entries together. An entry whose factors float32 cannot hold is counted in double precision.
 */
export const countSingle: string = `
(func $countSingle ${PRODUCT_PARAMS}
  ${
  locals("i32", [
    "$end",
    "$stop",
    "$i",
    "$j",
    "$g",
    "$x",
    "$o",
    "$c",
    "$panel",
    "$packed",
    "$others",
    "$size",
  ])
}
  ${locals("f64", ["$by", "$most", "$scale"])}
  ${locals("v128", ["$v", "$t0", "$t1", ...EACH.flatMap((r) => [`$p${r}`, `$q${r}`])])}
  (local.set $end ${sumOf(get("$list"), times(get("$n"), 16))})
  (local.set $panel (i32.const ${PANEL}))
  (local.set $packed ${sumOf(get("$scratch"), `(i32.const ${RECORD_BYTES + SUM_BYTES})`)})
  (local.set $others ${sumOf(get("$packed"), mul(get("$panel"), get("$rows")))})
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
          ${sumOf(get("$packed"), get("$size"))} (i32.const ${4 * PANEL}))
        (call $pack (local.get $x) (local.get $cols) (local.get $by)
          ${sumOf(get("$others"), get("$size"))} (i32.const ${4 * PANEL}))
        ${increase("$size", "(i32.const 16)")})
      (else (if (f64.ne (local.get $most) (f64.const 0)) (then
        (call $count (local.get $tile) (local.get $rows) (local.get $cols) (local.get $list) (i32.const 1))))))
    ${increase("$list", "(i32.const 16)")}`,
  )
}
  ${loop("$i", "$rows", 4, loop("$j", "$cols", 8, countBlock))}
)`;

/**
 * The arithmetic of the engine that opens gates, as WebAssembly text: rows of float64, matrices of float32, two numbers at
 * a time. Rows and matrices are padded to multiples of {@link PAD} with zeros, so that no loop has a remainder.
 */

import { EACH, each, fma, get, locals, loop, mul, set, sumOf, times, zero } from "./wat_parts.ts";
import { rowFunctions } from "./wat_rows.ts";
import { singleFunctions } from "./wat_single.ts";

/** Four float32 at an address as two pairs of float64. */
const widen = (low: string, high: string, address: string): string => `
  (local.set $w (v128.load ${address}))
  ${set(low, "(f64x2.promote_low_f32x4 (local.get $w))")}
  ${
  set(
    high,
    "(f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $w) (local.get $w)))",
  )
}`;

/** Takes entries of 16 bytes (two pointers and a float64) four at a time, as long as there are four. */
const fourEntries = (body: string): string => `
  (local.set $end ${sumOf(get("$list"), times(get("$n"), 16))})
  (block $done (loop $more
    (br_if $done (i32.gt_u ${sumOf(get("$list"), "(i32.const 64)")} (local.get $end)))
    ${
  each((s) => `
    ${set(`$to${s}`, `(i32.load offset=${16 * s} (local.get $list))`)}
    ${set(`$of${s}`, `(i32.load offset=${16 * s + 4} (local.get $list))`)}
    ${set(`$by${s}`, `(v128.load64_splat offset=${16 * s + 8} (local.get $list))`)}`)
}
    ${body}
    (local.set $list ${sumOf(get("$list"), "(i32.const 64)")})
    (br $more)))`;

/** Takes the entries that {@link fourEntries} leaves, one at a time. */
const lastEntries = (body: string): string => `
  (block $over (loop $again
    (br_if $over (i32.ge_u (local.get $list) (local.get $end)))
    ${set("$to0", "(i32.load (local.get $list))")}
    ${set("$of0", "(i32.load offset=4 (local.get $list))")}
    ${set("$by0", "(v128.load64_splat offset=8 (local.get $list))")}
    ${body}
    (local.set $list ${sumOf(get("$list"), "(i32.const 16)")})
    (br $again)))`;

const entryLocals = `${locals("i32", ["$end", "$i", "$j", "$a", "$b", "$o"])}
  ${locals("i32", EACH.flatMap((s) => [`$to${s}`, `$of${s}`]))}
  ${locals("v128", ["$w", "$al", "$ah", "$bl", "$bh", "$xl", "$xh", ...EACH.map((s) => `$by${s}`)])}
  ${locals("v128", EACH.flatMap((s) => [`$p${s}`, `$q${s}`]))}`;

/** {@link forward} for one sample: rows four at a time. */
const forwardOne = lastEntries(`
    (local.set $a (local.get $tile))
    ${
  loop(
    "$i",
    "$rows",
    4,
    `
      ${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
      ${
      loop(
        "$j",
        "$cols",
        4,
        `
        (local.set $o ${sumOf(get("$of0"), times(get("$j"), 8))})
        (local.set $xl (v128.load (local.get $o)))
        (local.set $xh (v128.load offset=16 (local.get $o)))
        (local.set $b (local.get $a))
        ${
          each((s) => `
        ${widen("$al", "$ah", get("$b"))}
        ${fma(`$p${s}`, get("$al"), get("$xl"))} ${fma(`$q${s}`, get("$ah"), get("$xh"))}
        (local.set $b ${sumOf(get("$b"), times(get("$cols"), 4))})`)
        }
        (local.set $a ${sumOf(get("$a"), "(i32.const 16)")})`,
      )
    }
      (local.set $a ${sumOf(get("$a"), times(get("$cols"), 12))})
      (local.set $o ${sumOf(get("$to0"), times(get("$i"), 8))})
      ${
      [0, 2].map((s) => `
      (local.set $xl (f64x2.add ${get(`$p${s}`)} ${get(`$q${s}`)}))
      (local.set $xh (f64x2.add ${get(`$p${s + 1}`)} ${get(`$q${s + 1}`)}))
      (v128.store offset=${8 * s} (local.get $o) (f64x2.add (v128.load offset=${8 * s} (local.get $o))
        (f64x2.mul (local.get $by0) (f64x2.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $xl) (local.get $xh))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $xl) (local.get $xh))))))`)
        .join("\n")
    }`,
  )
}`);

/** {@link backward} for one sample: rows four at a time. */
const backwardOne = lastEntries(`
    ${
  loop(
    "$j",
    "$cols",
    4,
    `
      ${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
      (local.set $a ${sumOf(get("$tile"), times(get("$j"), 4))})
      ${
      loop(
        "$i",
        "$rows",
        4,
        `
        (local.set $o ${sumOf(get("$of0"), times(get("$i"), 8))})
        ${
          each((s) => `
        ${widen("$al", "$ah", get("$a"))}
        (local.set $xl (v128.load64_splat offset=${8 * s} (local.get $o)))
        ${fma(`$p${s}`, get("$al"), get("$xl"))} ${fma(`$q${s}`, get("$ah"), get("$xl"))}
        (local.set $a ${sumOf(get("$a"), times(get("$cols"), 4))})`)
        }`,
      )
    }
      (local.set $b ${sumOf(get("$to0"), times(get("$j"), 8))})
      ${
      ["p", "q"].map((name, i) => `
      (v128.store offset=${16 * i} (local.get $b) (f64x2.add (v128.load offset=${16 * i} (local.get $b))
        (f64x2.mul (local.get $by0) (f64x2.add (f64x2.add ${get(`$${name}0`)} ${get(`$${name}1`)})
          (f64x2.add ${get(`$${name}2`)} ${get(`$${name}3`)})))))`).join("")
    }`,
  )
}`);

/** `to += by * (matrix of)`: rows two at a time, four samples at a time. */
const forward = `
(func $forward (param $tile i32) (param $rows i32) (param $cols i32) (param $list i32) (param $n i32)
  ${entryLocals}
  ${
  fourEntries(`
    (local.set $a (local.get $tile))
    ${
    loop(
      "$i",
      "$rows",
      2,
      `
      (local.set $b ${sumOf(get("$a"), times(get("$cols"), 4))})
      ${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
      ${
        loop(
          "$j",
          "$cols",
          4,
          `
        ${widen("$al", "$ah", get("$a"))}
        ${widen("$bl", "$bh", get("$b"))}
        (local.set $o ${times(get("$j"), 8)})
        ${
            each((s) => `
        (local.set $xl (v128.load ${sumOf(get(`$of${s}`), get("$o"))}))
        (local.set $xh (v128.load offset=16 ${sumOf(get(`$of${s}`), get("$o"))}))
        ${fma(`$p${s}`, get("$al"), get("$xl"))} ${fma(`$p${s}`, get("$ah"), get("$xh"))}
        ${fma(`$q${s}`, get("$bl"), get("$xl"))} ${fma(`$q${s}`, get("$bh"), get("$xh"))}`)
          }
        (local.set $a ${sumOf(get("$a"), "(i32.const 16)")})
        (local.set $b ${sumOf(get("$b"), "(i32.const 16)")})`,
        )
      }
      (local.set $a (local.get $b))
      (local.set $o ${times(get("$i"), 8)})
      ${
        each((s) => `
      (v128.store ${sumOf(get(`$to${s}`), get("$o"))} (f64x2.add (v128.load ${
          sumOf(get(`$to${s}`), get("$o"))
        })
        (f64x2.mul ${get(`$by${s}`)} (f64x2.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 ${get(`$p${s}`)} ${get(`$q${s}`)})
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 ${get(`$p${s}`)} ${
          get(`$q${s}`)
        })))))`)
      }`,
    )
  }`)
}
  ${forwardOne}
)`;

/** `to += by * (transposed matrix of)`: columns four at a time, four samples at a time. */
const backward = `
(func $backward (param $tile i32) (param $rows i32) (param $cols i32) (param $list i32) (param $n i32)
  ${entryLocals}
  ${
  fourEntries(`
    ${
    loop(
      "$j",
      "$cols",
      4,
      `
      ${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
      (local.set $a ${sumOf(get("$tile"), times(get("$j"), 4))})
      ${
        loop(
          "$i",
          "$rows",
          1,
          `
        ${widen("$al", "$ah", get("$a"))}
        (local.set $o ${times(get("$i"), 8)})
        ${
            each((s) => `
        (local.set $xl (v128.load64_splat ${sumOf(get(`$of${s}`), get("$o"))}))
        ${fma(`$p${s}`, get("$al"), get("$xl"))} ${fma(`$q${s}`, get("$ah"), get("$xl"))}`)
          }
        (local.set $a ${sumOf(get("$a"), times(get("$cols"), 4))})`,
        )
      }
      (local.set $o ${times(get("$j"), 8)})
      ${
        each((s) => `
      (local.set $b ${sumOf(get(`$to${s}`), get("$o"))})
      (v128.store (local.get $b) (f64x2.add (v128.load (local.get $b)) (f64x2.mul ${get(`$by${s}`)} ${
          get(`$p${s}`)
        })))
      (v128.store offset=16 (local.get $b)
        (f64x2.add (v128.load offset=16 (local.get $b)) (f64x2.mul ${get(`$by${s}`)} ${get(`$q${s}`)})))`)
      }`,
    )
  }`)
}
  ${backwardOne}
)`;

/** `tile += by * outer product of two rows`, summed over the entries in float64. */
const count = `
(func $count (param $tile i32) (param $rows i32) (param $cols i32) (param $list i32) (param $n i32)
  ${locals("i32", ["$i", "$j", "$e", "$end", "$g", "$x", "$c", "$stride"])}
  ${locals("v128", ["$w", "$xl", "$xh", "$by", ...EACH.flatMap((s) => [`$p${s}`, `$q${s}`])])}
  (local.set $end ${sumOf(get("$list"), times(get("$n"), 16))})
  (local.set $stride ${times(get("$cols"), 4)})
  ${
  loop(
    "$i",
    "$rows",
    4,
    `
    ${
      loop(
        "$j",
        "$cols",
        4,
        `
      ${each((s) => set(`$p${s}`, zero) + set(`$q${s}`, zero))}
      (local.set $e (local.get $list))
      (block $done (loop $more
        (br_if $done (i32.ge_u (local.get $e) (local.get $end)))
        (local.set $g ${sumOf("(i32.load (local.get $e))", times(get("$i"), 8))})
        (local.set $x ${sumOf("(i32.load offset=4 (local.get $e))", times(get("$j"), 8))})
        (local.set $by (v128.load64_splat offset=8 (local.get $e)))
        (local.set $xl (f64x2.mul (local.get $by) (v128.load (local.get $x))))
        (local.set $xh (f64x2.mul (local.get $by) (v128.load offset=16 (local.get $x))))
        ${
          each((s) => `
        (local.set $w (v128.load64_splat offset=${8 * s} (local.get $g)))
        ${fma(`$p${s}`, get("$w"), get("$xl"))} ${fma(`$q${s}`, get("$w"), get("$xh"))}`)
        }
        (local.set $e ${sumOf(get("$e"), "(i32.const 16)")})
        (br $more)))
      (local.set $c ${sumOf(get("$tile"), times(sumOf(mul(get("$i"), get("$cols")), get("$j")), 4))})
      ${
          each((s) => `
      (v128.store (local.get $c) (f32x4.add (v128.load (local.get $c))
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
          (f32x4.demote_f64x2_zero ${get(`$p${s}`)}) (f32x4.demote_f64x2_zero ${get(`$q${s}`)}))))
      (local.set $c ${sumOf(get("$c"), get("$stride"))})`)
        }`,
      )
    }`,
  )
}
)`;

/** Runs of a matrix over a list of entries: matrix, rows, columns, list, entries; rows and columns without padding. */
const runs = (name: string): string => `
(func (export "${name}") (param $run i32) (param $runs i32)
  (local $end i32)
  (local.set $end ${sumOf(get("$run"), times(get("$runs"), 28))})
  (block $done (loop $more
    (br_if $done (i32.ge_u (local.get $run) (local.get $end)))
    (call $${name} ${[0, 4, 8, 12, 16].map((at) => `(i32.load offset=${at} (local.get $run))`).join(" ")})
    (local.set $run ${sumOf(get("$run"), "(i32.const 28)")})
    (br $more))))`;

/**
 * The module; it imports the memory: of `pages` pages, shared by all threads, or, without a number, of any size and one thread's
 * own.
 */
export function watOf(pages?: number): string {
  return `(module
  (import "shared" "memory" (memory ${pages === undefined ? "0" : `${pages} ${pages} shared`}))
  ${forward} ${backward} ${count}
  ${["forward", "backward", "count"].map(runs).join("\n")}
  ${singleFunctions}
  ${rowFunctions})`;
}

/** Parts of WebAssembly text. */

/** What lengths of rows, and rows and columns of matrices, are multiples of. */
export const PAD = 4;

export const EACH = [0, 1, 2, 3];
export const each = (code: (s: number) => string): string => EACH.map(code).join("\n");

/** The body, for every `$i` from 0 up to `$end` by `step`. */
export const loop = (i: string, end: string, step: number, body: string): string => `
  (local.set ${i} (i32.const 0))
  (block $break${i.slice(1)} (loop $next${i.slice(1)}
    (br_if $break${i.slice(1)} (i32.ge_u (local.get ${i}) (local.get ${end})))
    ${body}
    (local.set ${i} (i32.add (local.get ${i}) (i32.const ${step})))
    (br $next${i.slice(1)})))`;

export const get = (name: string): string => `(local.get ${name})`;
export const set = (name: string, value: string): string => `(local.set ${name} ${value})`;
export const sumOf = (a: string, b: string): string => `(i32.add ${a} ${b})`;
export const mul = (a: string, b: string): string => `(i32.mul ${a} ${b})`;
export const times = (a: string, by: number): string => mul(a, `(i32.const ${by})`);
/** `acc += a * b`, lane by lane. */
export const fma = (acc: string, a: string, b: string): string =>
  set(acc, `(f64x2.add ${get(acc)} (f64x2.mul ${a} ${b}))`);
export const zero = "(v128.const i64x2 0 0)";
/** Declares local variables. */
export const locals = (type: string, names: readonly string[]): string =>
  names.map((name) => `(local ${name} ${type})`).join(" ");
/** The body again and again, as long as the condition holds. */
export const whilst = (label: string, condition: string, body: string): string =>
  `(block $end${label} (loop $again${label} (br_if $end${label} (i32.eqz ${condition})) ${body} (br $again${label})))`;
/** Four of the numbers of four bytes of two vectors. */
export const lanesOf = (lanes: readonly number[], a: string, b: string): string =>
  `(i8x16.shuffle ${lanes.flatMap((lane) => EACH.map((byte) => 4 * lane + byte)).join(" ")} ${a} ${b})`;

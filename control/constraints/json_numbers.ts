/**
 * Numbers as `JSON.stringify` writes finite doubles, as regular expressions. The rules are those of `Number::toString` in
 * ECMA-262: the fewest digits that tell the double from its neighbours, at most 17; an exponent from 1e+21 and 1e-7 on.
 */

/** Which numbers are written. */
export interface NumberLimits {
  /** How many digits stand after the point at most; 0 for whole numbers, `Infinity` for all numbers. */
  readonly decimals: number;
  /** The least, as a double. */
  readonly least: number;
  /** The greatest. */
  readonly most: number;
}

/** Digits that tell any double from its neighbours. */
const MOST_DIGITS = 17;
/** Exponent of the largest number that is written without one, and of the smallest. */
const PLAIN = { most: 20, least: -6 };
/** Exponent below which doubles have fewer and fewer digits, and of the smallest one, 5e-324. */
const SUBNORMAL = -308, SMALLEST = -324;

/**
 * The source of an expression for all numbers within limits, each as `JSON.stringify` writes it; undefined if there are none.
 * Of 16 and 17 digits more are accepted than are written: which of them stand for a double no small automaton knows. They are
 * read as numbers within the limits all the same.
 */
export function numberSource({ decimals, least, most }: NumberLimits): string | undefined {
  const ways: string[] = [];
  if (least <= 0 && most >= 0) ways.push("0");
  const [positive, negative] = [[least, most], [-most, -least]].map(([low, high]) =>
    high! > 0 ? magnitudes(Math.max(low!, Number.MIN_VALUE), Math.min(high!, Number.MAX_VALUE), decimals) : []
  );
  ways.push(...positive!, ...negative!.map((way) => `-${way}`));
  return ways.length === 0 ? undefined : ways.join("|");
}

/** The smallest double above another. */
export function doubleAbove(x: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  if (x === 0) return Number.MIN_VALUE;
  bits.setFloat64(0, x);
  bits.setBigInt64(0, bits.getBigInt64(0) + (x > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

/** A positive number as digits, the point after the first, and the exponent. */
interface Digits {
  readonly digits: string;
  readonly exponent: number;
}

function digitsOf(x: number): Digits {
  const [digits, exponent] = x.toExponential().split("e") as [string, string];
  return { digits: digits.replace(".", ""), exponent: Number(exponent) };
}

/** Expressions for the numbers from one positive double to another. */
function magnitudes(low: number, high: number, decimals: number): string[] {
  if (low > high) return [];
  const least = digitsOf(low), most = digitsOf(high);
  const ways: (string | undefined)[] = [];
  for (let e = least.exponent; e <= most.exponent;) {
    const from = e === least.exponent ? least.digits : undefined;
    const to = e === most.exponent ? most.digits : undefined;
    if (e >= PLAIN.least && e <= PLAIN.most) {
      ways.push(plain(e, decimals, from, to));
      e++;
      continue;
    }
    // Exponents between which nothing else changes are taken together.
    const isAlone = from !== undefined || to !== undefined || e <= SUBNORMAL;
    const last = isAlone ? e : Math.min(most.exponent - 1, e < 0 ? PLAIN.least - 1 : Infinity);
    if (e > 0 || decimals === Infinity) ways.push(withExponent(e, last, from, to));
    e = last + 1;
  }
  return ways.filter((way) => way !== undefined);
}

/** Numbers of an exponent that are written without it. */
function plain(exponent: number, decimals: number, low?: string, high?: string): string | undefined {
  const required = Math.min(MOST_DIGITS, Math.max(1, exponent + 1));
  const most = Math.min(MOST_DIGITS, exponent + 1 + decimals);
  const layout = { required, most, point: "\\.", zeros: Math.max(0, exponent + 1 - MOST_DIGITS) };
  if (exponent >= 0) return written(layout, low, high);
  const digits = most < 1 ? undefined : written({ ...layout, point: "" }, low, high);
  return digits === undefined ? undefined : `0\\.${"0".repeat(-exponent - 1)}${digits}`;
}

/** Numbers of several exponents that are written with them. */
function withExponent(from: number, to: number, low?: string, high?: string): string | undefined {
  // The smallest double is written with a 5: other digits are not those of a double.
  if (from === SMALLEST) return "5e-324";
  // Those near it lie so far apart that a few digits tell them from each other.
  const most = Math.min(MOST_DIGITS, from - SMALLEST + 1);
  const digits = written({ required: 1, most, point: "\\.", zeros: 0 }, low, high);
  const [a, b] = from < 0 ? [-to, -from] : [from, to];
  return digits === undefined ? undefined : `${digits}e${from < 0 ? "-" : "\\+"}${countsBetween(a, b)}`;
}

/** How digits are laid out. */
interface Layout {
  /** How many are always written, zeros at the end included. */
  readonly required: number;
  /** How many are written at most. The last of those that are not required is no zero. */
  readonly most: number;
  /** What stands between those that are required and others. */
  readonly point: string;
  /** Zeros after those that are required. */
  readonly zeros: number;
}

/** Digits, the first no zero, from `low` to `high` as fractions; without limits any. Undefined if there are none. */
function written({ required, most, point, zeros }: Layout, low?: string, high?: string): string | undefined {
  const end = "0".repeat(zeros);
  /** Any digits from position `i` on, the one before it being as told. */
  const any = (i: number, afterZero: boolean): string => {
    if (i < required) return `${DIGIT}{${required - i}}${any(required, false)}`;
    if (i === most) return end;
    if (i === required && zeros > 0) return end;
    const more = `${i === required ? point : ""}${DIGIT}{0,${most - i - 1}}[1-9]`;
    return i > required && afterZero ? more : `(?:${more})?${end}`;
  };
  /** Digits from position `i` on that stay within limits which those before it just reached. */
  const within = (i: number, isLow: boolean, isHigh: boolean, afterZero: boolean): readonly string[] => {
    if (!isLow && !isHigh) return [any(i, afterZero)];
    const ways: string[] = [];
    const isReached = !isLow || !/[1-9]/.test(low!.slice(i));
    if (i >= required && !(i > required && afterZero) && isReached) ways.push(end);
    if (i === most || i === required && zeros > 0) return ways;
    const first = isLow ? Number(low![i] ?? 0) : i === 0 ? 1 : 0, last = isHigh ? Number(high![i] ?? 0) : 9;
    const digits = new Map<string, string>();
    for (let digit = first; digit <= last; digit++) {
      for (const rest of within(i + 1, isLow && digit === first, isHigh && digit === last, digit === 0)) {
        digits.set(rest, `${digits.get(rest) ?? ""}${digit}`);
      }
    }
    const lead = i === required ? point : "";
    return [...ways, ...[...digits].map(([rest, some]) => `${lead}[${some}]${rest}`)];
  };
  if (low === undefined && high === undefined) return `[1-9]${any(1, false)}`;
  const ways = within(0, low !== undefined, high !== undefined, false);
  return ways.length === 0 ? undefined : `(?:${ways.join("|")})`;
}

const DIGIT = "[0-9]";

/** Whole numbers from one to another. */
function countsBetween(from: number, to: number): string {
  const ways: string[] = [];
  for (let length = String(from).length; length <= String(to).length; length++) {
    const low = Math.max(from, 10 ** (length - 1)), high = Math.min(to, 10 ** length - 1);
    ways.push(written({ required: length, most: length, point: "", zeros: 0 }, String(low), String(high))!);
  }
  return `(?:${ways.join("|")})`;
}

import { wgslOf } from "../../kernels/webgpu/kernels.ts";
import { type Form, matmulKernel, type Tile } from "../../kernels/webgpu/tiles.ts";

/** What a workgroup does for a tile of a product that goes through shared memory, counted in its WGSL. */
export interface TileCost {
  /** Scalar multiply-adds of a thread. */
  readonly multiplyAdds: number;
  /** Indices into shared memory that compilers clamp, for every multiply-add. */
  readonly clamps: number;
  /** Loads of four numbers from shared memory, for every 64 multiply-adds. */
  readonly loads: number;
  /** Loops inside a tile: each counts and jumps. */
  readonly loops: number;
  readonly barriers: number;
  /** Times that shared memory is busy with a subgroup of 32 threads, over the least for what they read; 1 without conflicts. */
  readonly readConflicts: number;
  /** The same for what they write. */
  readonly writeConflicts: number;
}

/** Numbers between neighbours of a tile in shared memory: a matrix and a padding of four, as the template declares them. */
const STRIDE = 20;
const THREADS = 32;
const BANKS = 32;
/** Threads whose four words each are served in a cycle. */
const AT_ONCE = BANKS / 4;

/** Counts what {@link TileCost} says, from the very text that devices compile. */
export function tileCost(form: Form, tile: Tile): TileCost {
  const code = wgslOf(matmulKernel(form, tile));
  const start = code.indexOf("for (var k0"), end = code.indexOf("tile = 1u - tile;", start);
  if (start < 0 || end < 0) throw new Error(`the kernel of ${form} has no shared tiles`);
  const body = code.slice(start, end);
  const count = (pattern: RegExp) => [...body.matchAll(pattern)].length;
  const multiplyAdds = 4 * count(/\bfma\(vec4f\(/g);
  const reads = [...body.matchAll(/let \w+ = (?:left|right)Tile\[([^\]]+)\]\.steps;/g)].map(([, at]) => at!);
  const whole = [...body.matchAll(/^\s*(?:left|right)Tile\[([^\]]+)\]\.steps = /gm)].map(([, at]) => at!);
  const single = [...body.matchAll(/^\s*(?:left|right)Tile\[([^\]]+)\]\.steps\[([^\]]+)\] = /gm)];
  const lets = new Map(
    [...code.matchAll(/^\s*let (\w+) = ([^;]+);/gm)].map(([, name, value]) => [name!, value!]),
  );
  const value = (text: string, thread: number) => evaluate(text, lets, thread, tile);
  const steps = (at: string) => [0, 1, 2, 3].map((k) => (t: number) => STRIDE * value(at, t) + 4 * k);
  const readAddresses = reads.flatMap(steps);
  const writeAddresses = [
    ...whole.flatMap(steps),
    ...single.map(([, at, k]) => (t: number) => STRIDE * value(at!, t) + 4 * value(k!, t)),
  ];
  return {
    multiplyAdds,
    clamps: reads.length / multiplyAdds,
    loads: 4 * reads.length / (multiplyAdds / 64),
    loops: count(/\bfor \(/g) - 1,
    barriers: count(/workgroupBarrier\(\)/g),
    readConflicts: conflicts(readAddresses, tile),
    writeConflicts: conflicts(writeAddresses, tile),
  };
}

/** Cycles of accesses of four numbers each by all subgroups of a workgroup, over those without conflicts. */
function conflicts(accesses: readonly ((thread: number) => number)[], { x, y }: Tile): number {
  let cycles = 0, least = 0;
  for (const address of accesses) {
    for (let first = 0; first < x * y; first += THREADS) {
      const all = Array.from(
        { length: Math.min(THREADS, x * y - first) },
        (_, lane) => address(first + lane),
      );
      cycles += bankCycles(all);
      least += Math.ceil(all.length / AT_ONCE);
    }
  }
  return cycles / least;
}

/**
 * Cycles that shared memory of 32 banks of a word needs for the threads of a subgroup that each take four words: eight threads at a
 * time, a cycle for every word that one bank is asked for; words that several of the eight ask for count once.
 *
 * @param addresses the first word of each thread
 */
export function bankCycles(addresses: readonly number[]): number {
  let cycles = 0;
  for (let first = 0; first < addresses.length; first += AT_ONCE) {
    const asked = new Array<number>(BANKS).fill(0);
    for (const address of new Set(addresses.slice(first, first + AT_ONCE))) {
      for (let word = address; word < address + 4; word++) asked[word % BANKS]!++;
    }
    cycles += Math.max(...asked);
  }
  return cycles;
}

/** The value of an integer expression of WGSL for a thread: its names are those of the kernel's `let`s and built-in values. */
function evaluate(text: string, lets: ReadonlyMap<string, string>, thread: number, tile: Tile): number {
  const known: Record<string, bigint> = {
    "local.x": BigInt(thread % tile.x),
    "local.y": BigInt(Math.floor(thread / tile.x)),
    tile: 0n,
  };
  const of = (expression: string): bigint => {
    const code = expression.replaceAll(/(\d+)u\b/g, "$1n").replaceAll(
      /(?<![\w.])[a-zA-Z_][\w.]*/g,
      (name) => `${known[name] ?? of(lets.get(name) ?? unknown(name))}n`,
    );
    return Function(`return ${code};`)() as bigint;
  };
  return Number(of(text));
}

function unknown(name: string): never {
  throw new Error(`an index of shared memory depends on ${name}, which no thread knows alone`);
}

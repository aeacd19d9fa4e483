import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { tableText } from "../foundation/text.ts";
import { againstHistory, historyEntry, keep, lastAlike, type Measured, readHistory } from "./history.ts";

/** What every benchmark can be asked for besides its own options. */
const SHARED_OPTIONS = {
  json: { type: "boolean" },
  history: { type: "boolean" },
  "against-history": { type: "string" },
} as const;

/** Mean number of programs that wanted a core in the minute before this one began. */
const LOAD = loadavg()[0]!;

/**
 * The options of a benchmark from its command line: its own, `--json`, `--history` (appends the figures to
 * bench/history) and `--against-history RATIO` (exit code 1 where a figure got worse than that ratio).
 */
export function benchOptions<const T extends ParseArgsOptionsConfig>(options: T) {
  return benchCall(options, false).values;
}

/** The same of a benchmark that also takes words which are no options. */
export function benchCall<const T extends ParseArgsOptionsConfig>(options: T, allowPositionals = true) {
  const all: T & typeof SHARED_OPTIONS = { ...options, ...SHARED_OPTIONS };
  const parsed = parseArgs({ args: Deno.args, options: all, allowPositionals }), { values } = parsed;
  const ratio = (values as { "against-history"?: string })["against-history"];
  if (ratio !== undefined && !(Number(ratio) > 0 && Number(ratio) <= 1)) {
    console.error(
      `--against-history is "${ratio}"; it is the least ratio of speeds that passes, above 0 and up to 1: 0.8`,
    );
    Deno.exit(2);
  }
  return parsed;
}

/** One measured figure with its target, where the project has set one. */
export interface Figure {
  /** What was measured. */
  readonly name: string;
  /** The median. */
  readonly value: number;
  readonly unit: string;
  /** Smallest and largest of the measurements. */
  readonly spread: readonly [number, number];
  /** How many measurements. */
  readonly runs: number;
  /** What the median should not pass. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number };
}

/** A figure from its measurements. */
export function figure(
  name: string,
  unit: string,
  values: readonly number[],
  target?: NonNullable<Figure["target"]>,
): Figure {
  const spread = [Math.min(...values), Math.max(...values)] as const;
  return {
    name,
    unit,
    value: median(values),
    spread,
    runs: values.length,
    ...(target === undefined ? {} : { target }),
  };
}

/** The median; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Milliseconds that an action takes. */
export async function milliseconds(action: () => unknown): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

/** Milliseconds of wall and of processor time, of all threads, that an action takes. */
export async function workOf(action: () => unknown): Promise<{ wall: number; core: number }> {
  const before = process.cpuUsage();
  const wall = await milliseconds(action);
  const { user, system } = process.cpuUsage(before);
  return { wall, core: (user + system) / 1000 };
}

/** Whether a figure meets its target; undefined when it has none. */
export function meets({ value, target }: Measured): boolean | undefined {
  if (target === undefined) return undefined;
  return "atMost" in target ? value <= target.atMost : value >= target.atLeast;
}

/** The cells of a figure in a table: its name, the median, the spread, the target. */
export function figureCells({ name, value, unit, spread, runs = 1, target }: Measured): string[] {
  const number = (value: number) => Math.abs(value) >= 100 ? value.toFixed(0) : String(+value.toPrecision(3));
  return [
    name,
    `${number(value)} ${unit}`.trimEnd(),
    spread === undefined || runs === 1
      ? ""
      : spread[0] === spread[1]
      ? `${runs} runs`
      : `${number(spread[0])} to ${number(spread[1])}, ${runs} runs`,
    target === undefined ? "" : "atMost" in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`,
  ];
}

/** Figures as a table of plain text. */
export function figuresText(figures: readonly Figure[]): string {
  const rows = figures.map((one) => {
    const met = meets(one);
    return [...figureCells(one), met === undefined ? "" : met ? "yes" : "NO"];
  });
  return tableText(["FIGURE", "MEDIAN", "SPREAD", "TARGET", "MET"], rows);
}

/**
 * Prints figures: a table below the machine and `about`, or JSON in which each tells whether it meets its target. Keeps
 * them, and compares them with those kept last, where the command line asks for it.
 * @param more what the JSON has besides
 */
export function printFigures(
  figures: readonly Figure[],
  { json = false, history = false, "against-history": ratio, about = [], more = {} }: {
    json?: boolean | undefined;
    history?: boolean | undefined;
    "against-history"?: string | undefined;
    about?: readonly string[];
    more?: Readonly<Record<string, unknown>>;
  },
): void {
  if (json) {
    const shown = figures.map((one) => ({ ...one, met: meets(one) ?? null }));
    console.log(JSON.stringify({ machine: machineText(), figures: shown, ...more }, null, 2));
  } else {
    console.log(`${[machineText(), ...about].join("\n")}\n\n${figuresText(figures)}`);
  }
  if (!history && ratio === undefined) return;
  const { entry, file } = historyEntry(figures, {
    machine: [hardwareText(), ...about].join("; "),
    software: softwareText(),
    load: LOAD,
  });
  if (ratio !== undefined) {
    const before = lastAlike(readHistory(file), entry);
    if (before === undefined) {
      console.error("bench/history has no run of this call on this machine to compare with");
    } else {
      const { text, passed } = againstHistory(before, entry, Number(ratio));
      console.error(`\n${text}`);
      if (!passed) Deno.exitCode = 1;
    }
  }
  if (history) {
    keep(file, entry);
    console.error(`kept in ${file}`);
  }
}

/**
 * Measures in an empty folder that is gone afterwards. It is in the repository, so that the figures are those of the
 * disk on which the default store lies.
 */
export async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const home = fileURLToPath(new URL("../.retort", import.meta.url));
  Deno.mkdirSync(home, { recursive: true });
  const folder = Deno.makeTempDirSync({ dir: home, prefix: "bench-" });
  try {
    return await action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Measures the parts that are wanted, all when left out, one after the other, each in an empty folder. */
export async function measureParts(
  parts: Readonly<Record<string, (folder: string) => Promise<Figure[]>>>,
  wanted: readonly string[] | undefined,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [part, measure] of Object.entries(parts)) {
    if (wanted !== undefined && !wanted.includes(part)) continue;
    console.error(`measuring ${part} …`);
    figures.push(...await inFolder(measure));
  }
  return figures;
}

/** The machine in words. */
export function machineText(): string {
  return `${hardwareText()}, ${softwareText()}`;
}

function hardwareText(): string {
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30), free = availableParallelism();
  const limited = free < cores.length ? `${free} of ` : "";
  return `${limited}${cores.length} x ${cores[0]?.model.trim() ?? "unknown processor"}, ${memory} GiB`;
}

function softwareText(): string {
  return `${Deno.build.os} ${release()}, Deno ${Deno.version.deno}`;
}

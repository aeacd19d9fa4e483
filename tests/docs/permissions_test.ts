import assert from "node:assert/strict";
import { ROOT } from "../command.ts";

const PAGE = Deno.readTextFileSync(`${ROOT}/docs/permissions.md`);

/** Cells of the rows of the tables that follow a heading, without heads and rules. */
function rowsUnder(heading: string): string[][] {
  const [, section] = PAGE.split(`\n## ${heading}\n`);
  assert.ok(section !== undefined, `docs/permissions.md has a section ${heading}`);
  return section.split("\n## ")[0]!.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

/** What stands between backticks. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}

function permissions(command: string): string[] {
  return command.split(" ").filter((word) => /^--(allow|deny)-/.test(word)).sort();
}

Deno.test("docs/permissions.md names exactly the permissions of every task of deno.json", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    tasks: Record<string, string>;
  };
  const given = Object.entries(tasks).map(([name, command]) => [name, permissions(command)] as const);
  const told = rowsUnder("Tasks").filter(([first]) => !first!.startsWith("`--")).flatMap(([names, flags]) =>
    quoted(names!).map((name) => [name, quoted(flags!).sort()] as const)
  );
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(given));
});

Deno.test("docs/permissions.md explains every permission that a task has", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    tasks: Record<string, string>;
  };
  const kind = (flag: string) => /^--allow-env=/.test(flag) ? "--allow-env=" : flag;
  const given = new Set(Object.values(tasks).flatMap(permissions).map(kind));
  const told = rowsUnder("Tasks").flatMap(([first]) => quoted(first!)).filter((word) =>
    word.startsWith("--")
  );
  assert.deepEqual(told.toSorted(), [...given].sort());
});

for (
  const [heading, ...files] of [
    ["Workers", "runner/execute/rights.ts", "runner/execute/worker_pool.ts"],
    ["The explorer", "web/explorer/explorer.ts"],
  ] as const
) {
  Deno.test(`docs/permissions.md names exactly the permissions of processes: ${heading}`, () => {
    const code = files.map((file) => Deno.readTextFileSync(`${ROOT}/${file}`)).join("\n");
    const given = [...code.matchAll(/"(--allow-[\w-]+(?:=[^"]*)?)"/g)].map((match) => match[1]!);
    assert.deepEqual(rowsUnder(heading).map(([flag]) => quoted(flag!)[0]).sort(), given.sort());
    assert.ok(!given.some((flag) => flag.startsWith("--allow-net") || flag === "--allow-all"));
    assert.match(code, /"--no-prompt"/);
  });
}

Deno.test("no task but `data`, the benchmarks and those that talk to a remote may use the whole network; the dashboard and the playground serve this machine, `publish` and `get` know the Hub", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    tasks: Record<string, string>;
  };
  for (const [name, command] of Object.entries(tasks)) {
    if (["data", "push", "pull", "gc"].includes(name) || name.startsWith("bench")) continue;
    const network = permissions(command).filter((flag) => /^--allow-(net|all)/.test(flag));
    const hub = "--allow-net=huggingface.co,*.huggingface.co,*.hf.co,*.amazonaws.com,127.0.0.1";
    const own = ["dashboard", "playground"].includes(name)
      ? ["--allow-net=127.0.0.1"]
      : ["publish", "get"].includes(name)
      ? [hub]
      : [];
    assert.deepEqual(network, own, name);
  }
});

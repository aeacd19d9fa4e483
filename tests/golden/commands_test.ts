import assert from "node:assert/strict";
import type { Command, Option } from "commander";
import type { TaskCommand } from "../../cli/command.ts";
import { tasksOf } from "../../cli/tasks.ts";
import { COMMANDS, GROUPS } from "../../cli/commands.ts";
import { loadCommands, neededCommands, parserOf } from "../../cli/parser.ts";
import { command, ROOT } from "../command.ts";

const CONFIG = `${ROOT}/deno.json`;
/** What the tasks of this project run. */
const MAIN = "cli/main.ts";
const PAGE = `${ROOT}/docs/pipelines.md`;
/** Set by `deno task golden`: what has drifted is written anew. */
const renews = Deno.env.get("RETORT_RENEW_GOLDEN") === "1";

const commands = await loadCommands(Object.keys(COMMANDS));

/** A command as the parser has it. */
function parsed(name: string): Command {
  return name.split(" ").reduce(
    (parent, word) => parent.commands.find((command) => command.name() === word) as Command,
    parserOf(commands),
  );
}

function optionsOf(name: string): readonly Option[] {
  return parsed(name).options as readonly Option[];
}

/** Flags that every command has, and those over a store. */
const SHARED = ["--json", "--verbose", "--store"];

/** `run FILE`, `runs [RUN]`, `compare RUN...`. */
function callOf(name: string): string {
  const names =
    (parsed(name).registeredArguments as readonly { required: boolean; variadic: boolean; name(): string }[])
      .map((argument) => {
        const word = argument.name().toUpperCase() + (argument.variadic ? "..." : "");
        return argument.required ? word : `[${word}]`;
      });
  return [name, ...names].join(" ");
}

/** The table of docs/pipelines.md, as `deno fmt` lays it out. */
function table(): string {
  const rows = [
    ["command", "further flags"],
    ...commands.map(({ name }) => [
      `\`${callOf(name)}\``,
      optionsOf(name).filter((option) => !SHARED.includes(option.long!))
        .map(({ flags }) => `\`${flags.replace(/<(.*)>/, (_, value) => value.toUpperCase())}\``).join(" "),
    ]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head!), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join(
    "\n",
  );
}

Deno.test("golden: the tasks of deno.json are those that the commands declare", () => {
  const text = Deno.readTextFileSync(CONFIG);
  const config = JSON.parse(text) as { tasks: Record<string, string> };
  const wanted = tasksOf(commands, MAIN);
  if (renews) {
    const others = Object.entries(config.tasks).filter(([name, line]) =>
      !(name in wanted) && !line.includes(MAIN)
    );
    const tasks = { ...wanted, ...Object.fromEntries(others) };
    Deno.writeTextFileSync(CONFIG, JSON.stringify({ ...config, tasks }, null, 2) + "\n");
    return;
  }
  const given = Object.entries(config.tasks).filter(([, line]) => line.includes(MAIN));
  assert.deepEqual(Object.fromEntries(given), wanted, "renew deno.json: deno task golden");
});

Deno.test("golden: docs/pipelines.md has every command with exactly its flags", () => {
  const page = Deno.readTextFileSync(PAGE);
  const [before, after] = page.split("\n## Commands\n") as [string, string];
  const found = /\n\| command [\s\S]*?\n(?=\n)/.exec(after)![0];
  if (renews) {
    Deno.writeTextFileSync(PAGE, `${before}\n## Commands\n${after.replace(found, () => `\n${table()}\n`)}`);
    return;
  }
  assert.equal(found.trim(), table(), "renew the table: deno task golden");
});

/** A command as `cli/completion/words.ts` has it, in one line. */
function wordsOf({ name, summary }: TaskCommand): string {
  const { registeredArguments } = parsed(name);
  return JSON.stringify({
    name,
    summary,
    arguments: registeredArguments.map((argument) => ({
      name: argument.name(),
      ...(argument.variadic ? { variadic: true } : {}),
      ...(argument.argChoices ? { choices: argument.argChoices } : {}),
    })),
    options: optionsOf(name).map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag),
      ...(option.required || option.optional ? { value: /[<[](.*)[>\]]/.exec(option.flags)![1] } : {}),
      ...(option.argChoices ? { choices: option.argChoices } : {}),
      ...(Array.isArray(option.defaultValue) || option.variadic ? { repeated: true } : {}),
      summary: option.description,
    })),
  });
}

Deno.test("golden: what shells complete is what the commands declare", () => {
  const path = `${ROOT}/cli/completion/words.ts`;
  const text = Deno.readTextFileSync(path);
  const [before] = text.split("= [\n") as [string];
  const wanted = `${before}= [\n${commands.map((one) => `  ${wordsOf(one)},\n`).join("")}];\n`;
  if (renews) Deno.writeTextFileSync(path, wanted);
  else assert.equal(text, wanted, "renew cli/completion/words.ts: deno task golden");
});

Deno.test("every command answers to its name and to the flags that all share; docs/pipelines.md names none that is not there", () => {
  assert.ok(commands.length >= 14);
  commands.forEach(({ name, summary }, i) => {
    assert.equal(name, Object.keys(COMMANDS)[i], "the file's name and the registry's");
    assert.deepEqual(neededCommands([...name.split(" "), "x", "--json"]), [name]);
    assert.ok(summary.length > 10 && !summary.endsWith("."), summary);
    const flags = optionsOf(name).map((option) => option.long!);
    const store = /^(data |completion$|doctor$|example$|get$|init$)/.test(name) ? [] : ["--store"];
    assert.deepEqual(
      flags.filter((flag) => SHARED.includes(flag)).sort(),
      ["--json", ...store, "--verbose"].sort(),
    );
    if (name.includes(" ")) assert.ok(GROUPS[name.split(" ")[0]!] !== undefined);
  });
  assert.deepEqual(neededCommands(["--help"]), Object.keys(COMMANDS));
  assert.deepEqual(neededCommands(["data", "--help"]), ["data list", "data fetch"]);
  const everyday = Deno.readTextFileSync(PAGE).split("\n## Everyday commands\n")[1]!.split("\n## ")[0]!;
  const told = [...everyday.matchAll(/^\| `deno task ([a-z ]+)/gm)].map((match) => match[1]!.trim());
  assert.ok(told.length >= 10);
  for (const name of told) assert.ok(name in COMMANDS, `${PAGE} tells of \`deno task ${name}\``);
});

Deno.test("a command is one file and one line of the registry: one that only this test knows is parsed like the others", async () => {
  const called: unknown[] = [];
  const probe: TaskCommand = {
    name: "data probe",
    summary: "look at a data set from afar",
    permissions: ["--allow-read", "--allow-env=RETORT_PROBE"],
    declare: (command) =>
      command.argument("<name>").option("--deep").action((name, options) =>
        void called.push([name, options])
      ),
  };
  const program = parserOf([...commands, probe]);
  await program.parseAsync(["data", "probe", "mnist", "--deep"], { from: "user" });
  assert.deepEqual(called, [["mnist", { deep: true }]]);
  // Its task is that of the other `data` commands, which may then read one variable more and nothing less.
  assert.equal(
    tasksOf([...commands, probe], MAIN).data,
    tasksOf(commands, MAIN).data!.replace("ProgramData", "ProgramData,RETORT_PROBE"),
  );
});

Deno.test("every task shows its help with the permissions that it has", async () => {
  await Promise.all(
    Object.keys(tasksOf(commands, MAIN)).map(async (task) => {
      const { code, stdout, stderr } = await command(task, ["--help"]);
      assert.equal(code, 0, `${task}: ${stderr}`);
      assert.match(stdout, new RegExp(`^Usage: retort ${task} `));
    }),
  );
});

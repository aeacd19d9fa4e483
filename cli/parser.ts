import { Command } from "commander";
import { VERSION } from "../foundation/own_package.ts";
import type { TaskCommand } from "./command.ts";
import { COMMANDS, GROUPS } from "./commands.ts";

/** Loads commands by their names. */
export async function loadCommands(names: Iterable<string>): Promise<TaskCommand[]> {
  return await Promise.all([...names].map(async (name) => (await COMMANDS[name]!()).default));
}

/**
 * Names of the commands that the parser needs for arguments: the one that they call, else those that begin with their
 * first word, else all, for `--help` and for suggestions. Loading more might need permissions that a task has not.
 */
export function neededCommands(args: readonly string[]): string[] {
  const names = Object.keys(COMMANDS);
  const called = names.find((name) => name.split(" ").every((word, i) => args[i] === word));
  if (called !== undefined) return [called];
  const group = names.filter((name) => name.split(" ")[0] === args[0]);
  return group.length > 0 ? group : names;
}

/** The parser of the command line, with these commands alone. */
export function parserOf(commands: readonly TaskCommand[]): Command {
  const program = new Command("retort").version(VERSION).description(
    "Latent variable distillation as declarative, cached pipelines.",
  );
  const groups = new Map<string, Command>();
  for (const command of commands) {
    const [first, second] = command.name.split(" ") as [string, string?];
    let parent: Command = program;
    if (second !== undefined) {
      parent = groups.get(first) ?? program.command(first).description(GROUPS[first]!);
      groups.set(first, parent);
    }
    command.declare(
      parent.command(second ?? first).description(command.summary),
      () => loadCommands(Object.keys(COMMANDS)),
    );
  }
  return program;
}

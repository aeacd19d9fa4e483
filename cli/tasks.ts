import type { TaskCommand } from "./command.ts";

/**
 * The tasks of a `deno.json` that call commands: those that share a first word share a task.
 *
 * @param main what Deno runs for them.
 */
export function tasksOf(list: readonly TaskCommand[], main: string): Record<string, string> {
  const groups = Map.groupBy(list, ({ name }) => name.split(" ")[0]!);
  return Object.fromEntries([...groups].map(([task, members]) => {
    const quiet = members.some((command) => command.quiet) ? ["--quiet"] : [];
    return [task, ["deno run", ...quiet, ...permissionsOf(members), main, task].join(" ")];
  }));
}

/** The permissions of commands that share a task. */
export function permissionsOf(members: readonly TaskCommand[]): string[] {
  // Of commands that share a task the one that may do the most comes first, so that its lists of names count.
  const flags = members.toSorted((a, b) => b.permissions.length - a.permissions.length)
    .flatMap(({ permissions }) => permissions);
  const kinds = new Map<string, string>();
  for (const flag of flags) {
    const kind = flag.split("=")[0]!;
    const more = new Set([
      ...kinds.get(kind)?.split("=")[1]?.split(",") ?? [],
      ...flag.split("=")[1]?.split(",") ?? [],
    ]);
    kinds.set(kind, more.size === 0 ? kind : `${kind}=${[...more].join(",")}`);
  }
  return [...kinds.values()];
}

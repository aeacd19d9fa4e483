import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalText } from "../../foundation/canonical.ts";
import { shellWord } from "../../foundation/text.ts";
import type { RunRecord } from "../../runner/records/rows.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How to reproduce a run. */
export interface Reproduction {
  /** The original command, verbatim. */
  readonly called: string;
  /** Equivalent commands with everything explicit, one per line. */
  readonly commands: readonly string[];
  /** What the commands cannot restore. */
  readonly warnings: readonly string[];
}

/** The commands that reproduce a run: the code's commit, the runtime's version, every parameter and the seed. */
export function reproduction(run: RunRecord): Reproduction {
  const { environment } = run;
  const file = relative(ROOT, run.file);
  const inside = !file.startsWith("..");
  const words = [
    ...["npx", "--yes", `deno@${environment.deno}`, "task", "run", inside ? file : run.file],
    ...Object.entries(run.params).flatMap(([name, value]) => [
      "--set",
      `${name}=${typeof value === "string" ? value : canonicalText(value)}`,
    ]),
    ...["--seed", String(run.seed), "--engine", environment.engine],
    ...(environment.adapter === undefined ? [] : ["--adapter", environment.adapter]),
  ];
  const warnings: string[] = [];
  if (environment.git === null) {
    warnings.push("The pipeline lay outside a repository: its code has no commit.");
  } else if (environment.git.dirty) {
    warnings.push("Tracked files differed from that commit when the run began.");
  }
  if (!inside) warnings.push("The pipeline's file lies outside the project.");
  return {
    called: run.command,
    commands: [
      ...(environment.git === null ? [] : [`git checkout ${environment.git.commit}`]),
      words.map(shellWord).join(" "),
    ],
    warnings,
  };
}

import type { TaskCommand } from "./command.ts";

/** All commands, one line each, in the order of `--help`. A module is loaded only when its command is called. */
export const COMMANDS: Readonly<Record<string, () => Promise<{ readonly default: TaskCommand }>>> = {
  "run": () => import("./commands/run.ts"),
  "graph": () => import("./commands/graph.ts"),
  "runs": () => import("./commands/runs.ts"),
  "show": () => import("./commands/show.ts"),
  "compare": () => import("./commands/compare.ts"),
  "report": () => import("./commands/report.ts"),
  "dashboard": () => import("./commands/dashboard.ts"),
  "gc": () => import("./commands/gc.ts"),
  "accept": () => import("./commands/accept.ts"),
  "verify": () => import("./commands/verify.ts"),
  "export": () => import("./commands/export.ts"),
  "publish": () => import("./commands/publish.ts"),
  "get": () => import("./commands/get.ts"),
  "push": () => import("./commands/push.ts"),
  "pull": () => import("./commands/pull.ts"),
  "work": () => import("./commands/work.ts"),
  "repro": () => import("./commands/repro.ts"),
  "completion": () => import("./commands/completion.ts"),
  "doctor": () => import("./commands/doctor.ts"),
  "init": () => import("./commands/init.ts"),
  "example": () => import("./commands/example.ts"),
  "data list": () => import("./commands/data_list.ts"),
  "data fetch": () => import("./commands/data_fetch.ts"),
};

/** What commands that share a first word are about, for `--help`. */
export const GROUPS: Readonly<Record<string, string>> = {
  data: "data sets: list them, fetch them",
};

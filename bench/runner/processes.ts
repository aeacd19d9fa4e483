import { fileURLToPath } from "node:url";
import { type Figure, figure, milliseconds } from "../measure.ts";
import { writePipeline } from "./pipelines.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUNS = 9;

/** The arguments of `deno` that the task `run` of deno.json stands for. */
function runTask(): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as { tasks: { run: string } };
  return tasks.run.split(" ").slice(1);
}

async function deno(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`deno ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Whole processes: what a user waits for when everything is in the store already. */
export async function measureProcesses(folder: string): Promise<Figure[]> {
  const empty = `${folder}/empty.ts`;
  Deno.writeTextFileSync(empty, "");
  const calls: { name: string; args: string[]; target?: number; values: number[] }[] = [
    { name: "start of the runtime: deno run of an empty file", args: ["run", empty], values: [] },
  ];
  const add = (what: string, file: string, target?: number) => {
    const rest = [file, "--store", `${folder}/store`];
    const of = target === undefined ? {} : { target };
    calls.push(
      {
        name: `${what}, cached: deno task run`,
        args: ["task", "--quiet", "run", ...rest],
        ...of,
        values: [],
      },
      { name: `${what}, cached: bare deno run`, args: [...runTask(), ...rest], ...of, values: [] },
    );
  };
  add("20 nodes", writePipeline(folder, 20), 400);
  add("1,000 nodes", writePipeline(folder, 1000), 1500);
  add("pipelines/quickstart.ts", "pipelines/quickstart.ts");
  // Fills the store and Deno's caches; in this process would do as well, but not for what it imports.
  for (const { args } of calls) await deno(args);
  // Interleaved, so that what else the machine does meanwhile falls on all alike.
  for (let run = 0; run < RUNS; run++) {
    for (const { args, values } of calls) values.push(await milliseconds(() => deno(args)));
  }
  return calls.map(({ name, target, values }) =>
    figure(name, "ms", values, target === undefined ? undefined : { atMost: target })
  );
}

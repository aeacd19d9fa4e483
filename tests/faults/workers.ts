/** Pids and command lines of the children of a process, by the process table: of Linux itself, which need not have `ps`. */
async function childrenOf(pid: number): Promise<(readonly [pid: number, command: string])[]> {
  const read = (path: string) => Deno.readTextFile(path).catch(() => "");
  if (Deno.build.os === "linux") {
    // A child belongs to the thread that started it.
    const threads = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`), ({ name }) => name).catch(
      () => [],
    );
    const all = await Promise.all(threads.map((thread) => read(`/proc/${pid}/task/${thread}/children`)));
    const pids = all.join(" ").split(/\s+/).filter((one) => one !== "").map(Number);
    return await Promise.all(pids.map(async (one) => [one, await read(`/proc/${one}/cmdline`)] as const));
  }
  const args = ["-A", "-o", "pid=,ppid=,command="];
  const { stdout } = await new Deno.Command("ps", { args }).output();
  return new TextDecoder().decode(stdout).split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, parent]) => Number(parent) === pid).map(([one, , ...rest]) => [Number(one), rest.join(" ")]);
}

/** Workers of a run: not the bundler, nor programs that it asks something. */
export async function workersOf(pid: number): Promise<number[]> {
  return (await childrenOf(pid)).filter(([, command]) => command.includes("execute/worker.ts")).map(([one]) =>
    one
  );
}

/** A worker of a run, as soon as there is one and a moment of its work later; none when the run ends before. */
export async function workerOf(child: Deno.ChildProcess): Promise<number | undefined> {
  let over = false;
  child.status.finally(() => over = true);
  while (!over) {
    const [worker] = await workersOf(child.pid);
    await new Promise((resolve) => setTimeout(resolve, worker === undefined ? 5 : 20));
    if (worker !== undefined) return worker;
  }
  return undefined;
}

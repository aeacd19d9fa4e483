import { messageOf, RetortError } from "../../foundation/errors.ts";

/** A job of Slurm, as its queue shows it: one element of an array. */
export interface SlurmElement {
  /** As in `12_3`. */
  readonly id: string;
  readonly name: string;
  /** As in `PENDING`. */
  readonly state: string;
  /** Why it waits, as in `Priority`. */
  readonly reason: string;
}

/** What Slurm says of a failure that passes by itself: its controller is away or busy. */
const PASSING =
  /unable to contact|connection refused|timed out|temporarily|try again|communication|connect failure/i;

/** A command of Slurm that failed. */
export class SlurmError extends RetortError {
  /** Whether it may succeed a little later. */
  readonly passes: boolean;

  constructor(command: string, text: string) {
    super("run/slurm", `${command} failed: ${text}`, {
      hint: "The options of its jobs come from `slurm` in the profile (docs/cluster.md).",
    });
    this.passes = PASSING.test(text);
  }
}

/** Runs a command of Slurm. @returns what it printed. @throws SlurmError */
export async function slurm(command: string, args: readonly string[], input = ""): Promise<string> {
  let output;
  try {
    const child = new Deno.Command(command, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    // A command that ends without reading has its reasons, which it prints.
    const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
    output = await child.output();
    await written;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw new SlurmError(command, messageOf(error));
    throw new SlurmError(command, "there is no such program; is this a machine of the cluster?");
  }
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!output.success) {
    throw new SlurmError(command, text(output.stderr) || `it ended with ${output.code}`);
  }
  return text(output.stdout);
}

/** This user's jobs that wait or run. Slurm's accounting, which many clusters lack, is not asked. */
export async function slurmQueue(): Promise<SlurmElement[]> {
  const text = await slurm("squeue", ["--me", "--noheader", "--array", "--format=%i|%j|%T|%r"]);
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [id = "", name = "", state = "", reason = ""] = line.trim().split("|");
    return { id, name, state, reason };
  });
}

/** The state of a job that ended lately, as in `OUT_OF_MEMORY`; undefined where Slurm knows it no more. */
export async function slurmState(id: string): Promise<string | undefined> {
  try {
    return /\bJobState=(\w+)/.exec(await slurm("scontrol", ["--oneliner", "show", "job", id]))?.[1];
  } catch (error) {
    if (error instanceof SlurmError) return undefined;
    throw error;
  }
}

/** The most elements that an array may have in this cluster. */
export async function slurmArraySize(): Promise<number> {
  const text = await slurm("scontrol", ["show", "config"]);
  return Number(/^MaxArraySize\s*=\s*(\d+)$/m.exec(text)?.[1] ?? 1001);
}

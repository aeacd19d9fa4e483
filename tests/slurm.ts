/**
 * A Slurm cluster of four nodes on this machine, for tests: its own `munged`, `slurmctld` and four `slurmd` in a temporary folder, without a
 * service manager, as whoever starts it.
 *
 *     deno run --allow-all tests/slurm.ts     until Ctrl-C; prints the SLURM_CONF by which commands find it
 */
import { userInfo } from "node:os";
import { needs } from "./needs.ts";

const NODES = 4;

/** Options of a test that needs a cluster. */
export function onSlurm(): { readonly ignore: boolean } {
  return needs("slurm", hasSlurm());
}

/** Whether there are the programs of a cluster. */
export function hasSlurm(): boolean {
  return ["munged", "slurmctld", "slurmd", "sbatch"].every((name) => programOf(name) !== undefined);
}

/** Where a program lies: daemons are not always on the path of users. */
function programOf(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Ports that nobody listens on now. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** A running cluster. While it runs, `SLURM_CONF` of this process names it. */
export class SlurmCluster implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "retort-slurm-" });
  readonly conf: string = `${this.folder}/slurm.conf`;
  readonly #daemons = new Map<string, Deno.ChildProcess>();

  /** Starts one, and waits until its nodes take jobs. */
  static async start(): Promise<SlurmCluster> {
    const cluster = new SlurmCluster();
    try {
      await cluster.#start();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  async #start(): Promise<void> {
    const { folder } = this;
    for (const name of ["state", "log", ...this.nodes.map((node) => `spool/${node}`)]) {
      Deno.mkdirSync(`${folder}/${name}`, { recursive: true, mode: 0o755 });
    }
    Deno.chmodSync(folder, 0o755);
    const ports = freePorts(NODES + 1);
    Deno.writeTextFileSync(this.conf, this.#text(ports));
    Deno.writeFileSync(`${folder}/munge.key`, crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o400 });
    this.#daemon("munged", "munged", [
      ...["--foreground", "--force", `--key-file=${folder}/munge.key`, `--socket=${folder}/munge.socket`],
      ...[`--pid-file=${folder}/munged.pid`, `--log-file=${folder}/log/munged.log`],
      `--seed-file=${folder}/munge.seed`,
    ]);
    await this.#until("munge answers", () => {
      Deno.statSync(`${folder}/munge.socket`);
      return true;
    });
    Deno.env.set("SLURM_CONF", this.conf);
    this.startController();
    for (const node of this.nodes) this.startNode(node);
    await this.#until(
      "the nodes are idle",
      async () => (await this.#sinfo()).every((state) => state === "idle"),
    );
  }

  get nodes(): string[] {
    return Array.from({ length: NODES }, (_, i) => `n${i + 1}`);
  }

  #text([controller, ...ports]: readonly number[]): string {
    const { folder } = this;
    const user = userInfo().username;
    return [
      "ClusterName=retort",
      "SlurmctldHost=localhost(127.0.0.1)",
      `SlurmctldPort=${controller}`,
      "AuthType=auth/munge",
      // Jobs that go back into the queue wait for their credentials to expire: two minutes by default.
      `AuthInfo=socket=${folder}/munge.socket,cred_expire=15`,
      `SlurmUser=${user}`,
      `SlurmdUser=${user}`,
      `StateSaveLocation=${folder}/state`,
      `SlurmdSpoolDir=${folder}/spool/%n`,
      `SlurmctldPidFile=${folder}/slurmctld.pid`,
      `SlurmdPidFile=${folder}/slurmd-%n.pid`,
      "ProctrackType=proctrack/linuxproc",
      "TaskPlugin=task/none",
      "SelectType=select/cons_tres",
      "SelectTypeParameters=CR_CPU_Memory",
      "JobAcctGatherType=jobacct_gather/none",
      // Many clusters have no accounting: nothing here may need it.
      "AccountingStorageType=accounting_storage/none",
      "MpiDefault=none",
      "SwitchType=switch/none",
      "ReturnToService=2",
      "SlurmdParameters=config_overrides",
      "SchedulerParameters=sched_interval=1,batch_sched_delay=0",
      "KillWait=5",
      // Jobs of `urgent` take the place of others, which go back into the queue.
      "PreemptType=preempt/partition_prio",
      "PreemptMode=REQUEUE",
      "MaxArraySize=11",
      "SlurmdTimeout=10",
      ...ports.map((port, i) =>
        `NodeName=n${i + 1} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${port} CPUs=2 RealMemory=4000`
      ),
      `PartitionName=main Nodes=n[1-${NODES}] Default=YES MaxTime=INFINITE State=UP PriorityTier=1`,
      `PartitionName=urgent Nodes=n[1-${NODES}] MaxTime=INFINITE State=UP PriorityTier=2`,
      "",
    ].join("\n");
  }

  /** Starts the controller, in the foreground so that it ends with the tests. */
  startController(): void {
    this.#daemon("slurmctld", "slurmctld", ["-D", "-f", this.conf]);
  }

  /** Starts a node. */
  startNode(node: string): void {
    this.#daemon(node, "slurmd", ["-D", "-N", node, "-f", this.conf]);
  }

  /** Ends the controller or a node at once, as a machine that loses its power. Jobs of a node end with it. */
  async kill(name: string): Promise<void> {
    const daemon = this.#daemons.get(name)!;
    if (name !== "slurmctld") this.#killJobs(name);
    daemon.kill("SIGKILL");
    await daemon.status;
    this.#daemons.delete(name);
    // Slurm would find it out itself, after a minute or more.
    if (name !== "slurmctld") await this.control("update", `nodename=${name}`, "state=down", "reason=lost");
  }

  /** Ends the processes of a node's jobs: their steps are children of nobody once the daemon is gone. */
  #killJobs(node: string): void {
    for (const pid of this.processes(node)) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }

  /** Ids of the processes of jobs, whether the controller knows of them or not: of one node, or of all. */
  processes(node?: string): number[] {
    const wanted = node === undefined ? "SLURMD_NODENAME=" : `SLURMD_NODENAME=${node}\0`;
    return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const environment = Deno.readTextFileSync(`/proc/${name}/environ`);
        if (!environment.includes(`SLURM_CONF=${this.conf}`) || !environment.includes(wanted)) return [];
        const called = Deno.readTextFileSync(`/proc/${name}/cmdline`);
        return /slurmstepd|slurm_worker|execute\/worker\.ts/.test(called) ? [Number(name)] : [];
      } catch {
        return []; // It has ended, or is another user's.
      }
    });
  }

  /** Says something to the controller, as `scontrol` does. */
  async control(...args: string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command("scontrol", { args }).output();
    if (!success) throw new Error(`scontrol ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }

  async #sinfo(): Promise<string[]> {
    const { stdout } = await new Deno.Command("sinfo", { args: ["-h", "-N", "-p", "main", "-o", "%T"] })
      .output();
    const states = new TextDecoder().decode(stdout).trim().split("\n");
    return states.length === NODES ? states : ["?"];
  }

  #daemon(name: string, program: string, args: readonly string[]): void {
    const log = Deno.openSync(`${this.folder}/log/${name}.txt`, { create: true, append: true });
    log.close();
    const daemon = new Deno.Command("sh", {
      args: ["-c", `exec "$0" "$@" >>'${this.folder}/log/${name}.txt' 2>&1`, programOf(program)!, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      env: { SLURM_CONF: this.conf },
    }).spawn();
    this.#daemons.set(name, daemon);
  }

  async #until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      try {
        if (await isSo()) return;
      } catch {
        // Not yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const logs = [...Deno.readDirSync(`${this.folder}/log`)].map(({ name }) =>
      `${name}: ${Deno.readTextFileSync(`${this.folder}/log/${name}`).slice(-500)}`
    );
    throw new Error(`the Slurm cluster did not start: not yet so that ${what}\n${logs.join("\n")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Deno.Command("scancel", { args: ["--me"], env: { SLURM_CONF: this.conf }, stderr: "null" })
      .output().catch(() => {});
    for (const node of this.nodes) await this.#killJobs(node);
    for (const daemon of [...this.#daemons.values()].reverse()) {
      try {
        daemon.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await daemon.status;
    }
    if (Deno.env.get("SLURM_CONF") === this.conf) Deno.env.delete("SLURM_CONF");
    Deno.removeSync(this.folder, { recursive: true });
  }
}

if (import.meta.main) {
  await using cluster = await SlurmCluster.start();
  console.log(`export SLURM_CONF=${cluster.conf}`);
  await new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", () => resolve()));
}

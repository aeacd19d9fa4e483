import { fileURLToPath } from "node:url";
import { Records } from "../../runner/records/records.ts";
import { launch } from "../../tests/web/browser.ts";
import { command } from "../../tests/command.ts";
import { Served } from "../../tests/web/serving.ts";
import { type Figure, figure, median } from "../measure.ts";

const MODULES = fileURLToPath(new URL("../..", import.meta.url));

/** Seconds of a phase, and how often each kind of phase comes. */
const PHASE = 4, ROUNDS = 6;

/** Kinds of phases, in turn. */
const KINDS = ["none", "served", "open"] as const;
type Kind = typeof KINDS[number];

/** A stretch of the run. */
interface Phase {
  readonly kind: Kind;
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Seconds that the dashboard's process computed. */
  readonly computed: number;
}

/**
 * What the dashboard costs a pipeline that keeps two cores busy, within one run: its two nodes do the same piece of
 * work over and over and report how long it took, while the dashboard is off, serves nobody but a reader of its
 * stream, and shows the run in a browser of the same machine, in turn. Two measures: by how much the pieces took
 * longer, which whatever else the machine does disturbs, and how long the dashboard's process computed for every
 * second that the pieces computed, which it does not.
 */
export async function measureCost(folder: string): Promise<Figure[]> {
  const store = `${folder}/store`, gate = `${folder}/end`, file = `${folder}/busy.ts`;
  Deno.writeTextFileSync(file, PIPELINE.replaceAll("MODULES", MODULES));
  const running = command("run", [file, "--store", store, "--set", `until=${gate}`]);
  const phases: Phase[] = [];
  try {
    await started(store);
    for (let round = 0; round < ROUNDS; round++) {
      // Another order in every round: what drifts falls on all kinds alike.
      for (let i = 0; i < KINDS.length; i++) {
        const kind = KINDS[(i + round) % KINDS.length]!;
        await inPhase(kind, store, async (computed) => {
          const from = Date.now() / 1000, before = computed();
          await wait(PHASE * 1000);
          phases.push({ kind, from, to: Date.now() / 1000, computed: computed() - before });
        });
      }
    }
  } finally {
    Deno.writeTextFileSync(gate, "");
    await running;
  }
  const ended = await running;
  if (ended.code !== 0) throw new Error(ended.stderr);
  return figuresOf(store, phases);
}

async function inPhase(
  kind: Kind,
  store: string,
  action: (computed: () => number) => Promise<void>,
): Promise<void> {
  if (kind === "none") {
    await wait(1500);
    return await action(() => 0);
  }
  await using served = await Served.start(store);
  const computed = () => processorSeconds(served.child.pid);
  const { runs: [{ id }] } = await (await fetch(`${served.url}api/runs`)).json();
  if (kind === "served") {
    const stop = new AbortController();
    const stream = await fetch(`${served.url}api/events?stream=bench`, { signal: stop.signal });
    await fetch(`${served.url}api/watch?stream=bench&watch=run&run=${id}`);
    const reading = stream.body!.pipeTo(new WritableStream(), { signal: stop.signal }).catch(() => {});
    await wait(1000);
    await action(computed);
    stop.abort();
    return await reading;
  }
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${served.url}#/run/${id}`);
    await page.locator("figure.chart svg").first().waitFor();
    await wait(1000);
    await action(computed);
  } finally {
    await browser.close();
  }
}

/** What phases cost, in percent: of the time of pieces in the phase without a dashboard of the same round. */
function figuresOf(store: string, phases: readonly Phase[]): Figure[] {
  using records = new Records({ root: store }, { readOnly: true });
  const metrics = records.metrics(records.runs({ limit: 1 })[0]!.id);
  /** Milliseconds that a metric tells for the pieces of a phase. */
  const told = (name: string, { from, to }: Phase) => {
    const inside = metrics.filter((one) => one.name === name && one.time > from && one.time < to);
    if (inside.length < 20) throw new Error(`only ${inside.length} pieces of work in a phase`);
    return { sum: inside.reduce((total, one) => total + one.value!, 0), count: inside.length };
  };
  const timeOf = (phase: Phase) => {
    const { sum, count } = told("piece [ms]", phase);
    return sum / count;
  };
  const share = (kind: Kind) =>
    phases.filter((phase) => phase.kind === kind)
      .map((phase) => 100 * phase.computed / (told("computed [ms]", phase).sum / 1000));
  const cost = (kind: Kind) =>
    Array.from({ length: ROUNDS }, (_, round) => {
      const here = phases.slice(round * KINDS.length, (round + 1) * KINDS.length);
      const time = (one: Kind) => timeOf(here.find((phase) => phase.kind === one)!);
      return 100 * (time(kind) / time("none") - 1);
    });
  return [
    figure("dashboard, its stream read: computes, of what the run does", "%", share("served"), { atMost: 2 }),
    figure("dashboard, page open: computes, of what the run does", "%", share("open"), { atMost: 2 }),
    figure("dashboard, its stream read: pieces take longer", "%", cost("served")),
    figure("dashboard, page open, with Chromium itself: pieces take longer", "%", cost("open")),
    figure("a piece of work without a dashboard", "ms", [
      median(phases.filter((phase) => phase.kind === "none").map(timeOf)),
    ]),
  ];
}

/** Seconds that a process has computed so far, as Linux counts them: hundredths. */
function processorSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function started(store: string): Promise<void> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    await wait(200);
    try {
      using records = new Records({ root: store }, { readOnly: true });
      const run = records.runs({ limit: 1 })[0];
      if (run !== undefined && records.metrics(run.id).length > 100) return;
    } catch {
      // Not there yet.
    }
  }
  throw new Error("the pipeline did not begin");
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Two nodes that keep a core busy each and tell of every piece of work how long it took. */
const PIPELINE = `import { existsSync } from "node:fs";
import process from "node:process";
import { z } from "zod";
import { definePipeline, defineStage, json } from "file://MODULESmod.ts";

const done = json("done", z.object({ pieces: z.int() }));

export const busy = defineStage({
  name: "busy",
  params: z.object({ lane: z.int(), until: z.string() }),
  outputs: { done },
  async run({ params, context }) {
    let pieces = 0, x = 0.5;
    while (!existsSync(params.until)) {
      const began = performance.now(), before = process.cpuUsage();
      for (let i = 0; i < 3_000_000; i++) x = 3.9 * x * (1 - x);
      context.metric("piece [ms]", performance.now() - began, pieces);
      const { user, system } = process.cpuUsage(before);
      context.metric("computed [ms]", (user + system) / 1000 + 0 * x, pieces++);
      context.progress(pieces, undefined, "pieces");
      await new Promise((resolve) => setTimeout(resolve));
    }
    return { done: { pieces } };
  },
});

export default definePipeline({
  name: "busy",
  params: z.object({ until: z.string() }),
  build: ({ params }) => ({
    first: busy({}, { lane: 0, ...params }).done,
    second: busy({}, { lane: 1, ...params }).done,
  }),
});
`;

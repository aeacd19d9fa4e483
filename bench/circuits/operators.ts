import type { Circuit, Samples } from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { tableText } from "../../foundation/text.ts";
import { milliseconds } from "../measure.ts";
import { RULE } from "./model.ts";

/** Time of an operator of ONNX Runtime in a step. */
export interface OperatorTime {
  /** Its type, such as `MatMul`. */
  readonly name: string;
  /** Calls. */
  readonly calls: number;
  /** Milliseconds of all calls. */
  readonly milliseconds: number;
}

/** Operators that are matrix products. */
const PRODUCTS = new Set(["MatMul", "FusedMatMul", "Gemm"]);

/** Steps that are made before the one that is looked at. */
const WARM_UP = 3;

/** A step of EM as ONNX Runtime's own clock sees it. */
export interface StepProfile {
  /** Milliseconds of the E-step and the M-step. */
  readonly milliseconds: number;
  /** Its operators, longest first. */
  readonly operators: readonly OperatorTime[];
}

/** The fastest of some steps of EM. The profile itself takes a little time. */
export async function profileStep(circuit: Circuit, samples: Samples, steps = 3): Promise<StepProfile> {
  const folder = Deno.makeTempDirSync();
  try {
    const engine = new CpuEngine(circuit, { profile: `${folder}/profile` });
    const times: number[] = [];
    for (let i = 0; i < WARM_UP + steps; i++) {
      times.push(
        await milliseconds(async () => {
          await engine.accumulate(samples);
          await engine.update(RULE);
        }),
      );
    }
    await engine.close();
    const [file] = [...Deno.readDirSync(folder)];
    if (file === undefined) throw new Error("ONNX Runtime wrote no profile");
    const fastest = Math.min(...times.slice(WARM_UP));
    const events = JSON.parse(Deno.readTextFileSync(`${folder}/${file.name}`));
    return { milliseconds: fastest, operators: operatorsOf(events, times.length, times.indexOf(fastest)) };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Milliseconds of the matrix products among them. */
export function productMilliseconds(operators: readonly OperatorTime[]): number {
  return operators.reduce((sum, { name, milliseconds }) => sum + (PRODUCTS.has(name) ? milliseconds : 0), 0);
}

/** Operators as a table. */
export function operatorsText(operators: readonly OperatorTime[]): string {
  const total = operators.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return tableText(
    ["OPERATOR", "CALLS", "MILLISECONDS", "SHARE"],
    operators.slice(0, 12).map(({ name, calls, milliseconds }) => [
      name,
      String(calls),
      milliseconds.toFixed(2),
      `${(100 * milliseconds / total).toFixed(0)} %`,
    ]),
  );
}

/** An event of the trace, times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Operators of one of the steps. A step may be several batches. */
function operatorsOf(events: readonly TraceEvent[], steps: number, step: number): OperatorTime[] {
  const runs = events.filter(({ name }) => name === "model_run").sort((a, b) => a.ts - b.ts);
  const batches = runs.length / steps;
  const own = runs.slice(step * batches, (step + 1) * batches);
  const times = new Map<string, { calls: number; milliseconds: number }>();
  for (const { cat, name, ts, dur, args } of events) {
    if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
    if (!own.some((run) => ts >= run.ts && ts <= run.ts + run.dur)) continue;
    const one = times.getOrInsertComputed(args?.op_name ?? "?", () => ({ calls: 0, milliseconds: 0 }));
    one.calls++;
    one.milliseconds += dur / 1000;
  }
  return [...times].map(([name, one]) => ({ name, ...one })).sort((a, b) => b.milliseconds - a.milliseconds);
}

import { z } from "zod";
import type { Circuit } from "../circuits/circuit.ts";
import type { Engine } from "../kernels/engine.ts";
import type { KeptGraphs } from "../kernels/onnx/kept_graphs.ts";
import { openEngine } from "../kernels/open.ts";
import type { Tuning, TuningStore } from "../kernels/webgpu/tuning.ts";
import type { KeptValues, StageContext } from "../runner/stage.ts";

/**
 * What a stage does when its GPU is lost and another takes over: it logs that and saves its state at the next
 * occasion.
 */
export function lossTold(context: Partial<Pick<StageContext, "log" | "checkpoint">>) {
  return (reason: string): void => {
    context.log?.(`the GPU was lost (${reason}): going on with a new device`);
    context.checkpoint?.soon();
  };
}

/**
 * Opens the engine that the run asks for and records which one it is. Close it after use.
 * @param graphs compiled graphs of earlier engines, for stages of which many nodes ask for the same ones
 */
export async function openLearner(
  circuit: Circuit,
  context: Pick<StageContext, "engine"> & Partial<Pick<StageContext, "log" | "checkpoint">>,
  graphs?: KeptGraphs,
): Promise<Engine> {
  const { choice, adapter, kept } = context.engine;
  const engine = await openEngine(circuit, {
    engine: choice,
    ...(adapter !== undefined && { adapter }),
    ...(kept !== undefined && { tuning: tuningIn(kept) }),
    ...(graphs !== undefined && { graphs }),
    onLoss: lossTold(context),
  });
  context.engine.used(engine.name, engine.adapter);
  return engine;
}

const tile = z.object({
  kind: z.enum(["register", "subgroup", "shared"]),
  rows: z.int().min(1),
  columns: z.int().min(4),
  x: z.int().min(1),
  y: z.int().min(1),
  depth: z.int().min(4).optional(),
});
const rate = z.object({
  flops: z.number().positive(),
  alone: z.number().positive(),
  bytes: z.number().positive(),
});
const tuning = z.object({ tiles: z.record(z.string(), tile), rate: rate.optional() });

/**
 * Measurements of adapters, in the store of the run. They may be edited: entries that do not fit are measured
 * again.
 */
function tuningIn(kept: KeptValues): TuningStore {
  return {
    load: () => {
      const known = Object.entries(kept.load()).flatMap(([adapter, value]) => {
        const { success, data } = tuning.safeParse(value);
        return success ? [[adapter, data as Tuning]] : [];
      });
      return Promise.resolve(Object.fromEntries(known));
    },
    save: (adapter, measured) => Promise.resolve(kept.save(adapter, measured)),
  };
}

import type { EngineSessionOptions } from "../kernels/onnx/engine_session.ts";
import type { StageContext } from "../runner/stage.ts";

/** The engine of the run for graphs of ONNX Runtime, which record what they run on. */
export function onnxEngine(
  context: Pick<StageContext, "engine" | "log">,
): Pick<EngineSessionOptions, "engine" | "adapter" | "used" | "log"> {
  const { choice, adapter, used } = context.engine;
  return {
    engine: choice,
    ...(adapter !== undefined && { adapter }),
    used,
    log: (message) => context.log(message),
  };
}

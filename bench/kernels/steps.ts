import type { Circuit } from "../../circuits/mod.ts";
import { planOf } from "../../kernels/plan.ts";
import { backwardSteps } from "../../kernels/webgpu/backward.ts";
import { countSteps } from "../../kernels/webgpu/counts.ts";
import type { OpenDevice } from "../../kernels/webgpu/device.ts";
import type { Step } from "../../kernels/webgpu/dispatch.ts";
import { forwardSteps } from "../../kernels/webgpu/forward.ts";
import type { LearningContext } from "../../kernels/webgpu/kernel_context.ts";
import { Layout } from "../../kernels/webgpu/layout.ts";
import { ParameterPlaces } from "../../kernels/webgpu/parameter_places.ts";
import { Settings } from "../../kernels/webgpu/settings.ts";
import { softCountSteps, softSteps } from "../../kernels/webgpu/soft_steps.ts";
import { defaultTiles } from "../../kernels/webgpu/tiles.ts";

const BUFFER = { size: 2 ** 30 } as GPUBuffer;
const PAGES = new Array<GPUBuffer>(100).fill(BUFFER);

/**
 * All steps of a batch of learning, on a device that is not there.
 *
 * @param software whether the device computes in software
 * @param binding bytes of its largest binding
 */
export function stepsWithoutDevice(
  circuit: Circuit,
  { capacity, software, binding = 2 ** 27 }: {
    readonly capacity: number;
    readonly software: boolean;
    readonly binding?: number;
  },
): Step[] {
  const open = {
    adapter: { name: "", vendor: "", architecture: "", software },
    limits: {
      binding,
      buffer: 2 * binding,
      invocations: 256,
      shared: 2 ** 15,
      workgroups: 65535,
      storageBuffers: 8,
    },
    features: { subgroup: 0, floatAtomics: false, timestamps: false, half: false },
  } as unknown as OpenDevice;
  const plan = planOf(circuit), tiles = defaultTiles(open), layout = new Layout(plan, capacity);
  const buffers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, BUFFER]));
  const context = {
    open,
    plan,
    layout,
    places: new ParameterPlaces(plan, binding),
    settings: new Settings(),
    tiles,
    arrays: {
      ...buffers("batch", "values", "logs", "scales", "linear", "marks", "partials", "modes"),
      weights: PAGES,
      tables: PAGES,
    },
    learning: {
      ...buffers("flows", "ratios", "flags", "seen", "words"),
      counts: PAGES,
      statistics: PAGES,
    },
  } as unknown as LearningContext;
  return [
    ...forwardSteps(context, "sum", (group) => softSteps(context, group, "sum", BUFFER)),
    ...backwardSteps(context),
    ...countSteps(context),
    ...softCountSteps(context, { evidence: BUFFER, sorted: BUFFER }),
  ];
}

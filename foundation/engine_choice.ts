import { factsOf, findGpu, listAdapters } from "./gpu.ts";

/** An engine, or `auto`: the one that suits this machine. */
export type EngineChoice = "auto" | "webgpu" | "cpu";

/** Names of the engines. */
export type EngineName = Exclude<EngineChoice, "auto">;

/** What a choice means before the machine is asked: naming an adapter turns `auto` into `webgpu`. */
export function impliedEngine(choice: EngineChoice, adapter: string | undefined): EngineChoice {
  return choice === "auto" && adapter !== undefined ? "webgpu" : choice;
}

/** The engine that a choice means on this machine: `auto` is `webgpu` if an adapter computes on hardware, else `cpu`. */
export async function resolveEngine(choice: EngineChoice, adapter?: string): Promise<EngineName> {
  const implied = impliedEngine(choice, adapter);
  if (implied !== "auto") return implied;
  hardware ??= hasHardwareAdapter();
  return await hardware ? "webgpu" : "cpu";
}

/** Asked once: adapters do not come and go. */
let hardware: Promise<boolean> | undefined;

async function hasHardwareAdapter(): Promise<boolean> {
  const gpu = findGpu();
  if (gpu === undefined) return false;
  return (await listAdapters(gpu)).some((adapter) => !factsOf(adapter).software);
}

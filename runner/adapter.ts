import { tmpdir } from "node:os";
import type { EngineChoice } from "./stage.ts";

/** A WebGPU adapter as far as choosing an engine needs it. */
export interface AdapterFacts {
  readonly name: string;
  /** True when the adapter is a program on the CPU. */
  readonly software: boolean;
}

/** The WebGPU adapter of this machine, or undefined when there is none. */
export async function findAdapter(): Promise<AdapterFacts | undefined> {
  // Without it Deno would quietly use OpenGL where there is no Vulkan driver, which the engine does not.
  if (Deno.build.os === "linux" && Deno.env.get("DENO_WEBGPU_BACKEND") === undefined) {
    Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
  }
  // Mesa's software driver complains on the terminal when no folder of the session is named; it needs none.
  if (Deno.env.get("XDG_RUNTIME_DIR") === undefined) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const adapter = await navigator.gpu?.requestAdapter();
  if (adapter === null || adapter === undefined) return undefined;
  const { description, vendor, architecture, device } = adapter.info;
  const name = description || [vendor, architecture, device].filter((part) => part !== "").join(" ") ||
    "unnamed";
  const software = adapter.info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|software/i.test(name);
  return { name, software };
}

/** What a choice of engine means on this machine: `auto` is WebGPU where there is a hardware adapter. */
export async function resolveEngine(choice: EngineChoice): Promise<"webgpu" | "cpu"> {
  if (choice !== "auto") return choice;
  const adapter = await findAdapter();
  return adapter !== undefined && !adapter.software ? "webgpu" : "cpu";
}

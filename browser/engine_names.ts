/** What computes in a tab: the GPU, WebAssembly, or plain JavaScript in double precision. */
export type TabEngineName = "webgpu" | "wasm" | "reference";

/** An engine, or `auto`: the best that there is. */
export type TabEngineChoice = TabEngineName | "auto";

/** All choices. */
export const tabEngines: readonly TabEngineChoice[] = ["auto", "webgpu", "wasm", "reference"];

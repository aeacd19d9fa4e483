import type { Circuit } from "../../circuits/circuit.ts";
import { requireSingleRoot } from "../../circuits/reference.ts";
import type { EngineOptions } from "../engine.ts";
import { GATES_WASM } from "./compiled.ts";
import { GateEngine } from "./engine.ts";
import { GateMemory } from "./memory.ts";
import type { GatePool } from "./pool.ts";
import type { GateCall } from "./serve.ts";
import { GateThread } from "./thread.ts";

/** Room for activations if none is said: pages have less memory than programs, and what stays in the cache is read faster. */
const HERE_MEMORY = 2 << 20;

/** How much room it has, and how exact it is. */
export interface HereOptions extends Pick<EngineOptions, "memory"> {
  /** Whether it learns in single precision, twice as fast; whatever is asked is computed in double precision all the same. */
  readonly single?: boolean;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** The arithmetic, compiled once. It is part of the code, so nothing is fetched. */
function moduleHere(): Promise<WebAssembly.Module> {
  return compiled ??= WebAssembly.compile(Uint8Array.from(atob(GATES_WASM), (byte) => byte.charCodeAt(0)));
}

/**
 * Opens an engine on the thread that calls it: for tabs, where threads could share no memory without headers that few hosts send,
 * and which call it in a worker.
 *
 * @throws {RetortError} when the parameters do not fit into a memory of WebAssembly
 * @throws {Error} of WebAssembly, where a page's policy forbids it
 */
export async function openGatesHere(
  circuit: Circuit,
  { memory: bytes = HERE_MEMORY, single = false }: HereOptions = {},
): Promise<GateEngine> {
  requireSingleRoot(circuit);
  const memory = await GateMemory.create(circuit, { bytes, threads: 1, shared: false, single }, moduleHere);
  return new GateEngine(circuit, memory, new GateHere(memory));
}

/** One thread, which is this one. */
class GateHere implements GatePool {
  readonly count = 1;
  readonly #thread: GateThread;

  constructor({ threads }: GateMemory) {
    this.#thread = new GateThread(threads[0]!);
  }

  /** Calls what is here. */
  call<N extends GateCall>(
    name: N,
    args: (thread: number) => Parameters<GateThread[N]>,
  ): Promise<ReturnType<GateThread[N]>[]> {
    const call = this.#thread[name] as (...args: Parameters<GateThread[N]>) => ReturnType<GateThread[N]>;
    return Promise.resolve([call.apply(this.#thread, args(0))]);
  }

  /** Nothing was started. */
  end(): void {}
}

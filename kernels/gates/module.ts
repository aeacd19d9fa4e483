import wabt from "wabt";
import { getOrMake } from "../../foundation/newer.ts";
import { watOf } from "./wat.ts";

/** By pages of memory: the module, compiled once. */
const known = new Map<number, Promise<WebAssembly.Module>>();

/** The arithmetic of wat.ts, compiled for a shared memory of `pages` pages. */
export function gateModule(pages: number): Promise<WebAssembly.Module> {
  return getOrMake(known, pages, async () => {
    const parsed = (await wabt()).parseWat("gates.wat", watOf(pages), { threads: true, simd: true });
    try {
      return await WebAssembly.compile(parsed.toBinary({}).buffer as BufferSource);
    } finally {
      parsed.destroy();
    }
  });
}

import { getOrMake } from "../../foundation/newer.ts";
import type { Piece } from "./pace.ts";

const UNIFORM = 0x40, COPY_DST = 0x8, COMPUTE = 0x4;

/** Bytes of a `Portion` in common.wgsl, and an offset alignment that every device allows. */
const SIZE = 32, ALIGNED = 256;

/** Portions per buffer. */
const BUFFER = 256;

/**
 * Tells kernels which part of their grid and loop a dispatch executes: a uniform in a bind group of its own, present in
 * all kernels. Portions are few and recur in every batch, so they are cached.
 */
export class Portions {
  /** Layout of the bind group. */
  readonly layout: GPUBindGroupLayout;
  readonly #device: GPUDevice;
  readonly #groups = new Map<string, GPUBindGroup>();
  #buffer: GPUBuffer | undefined;

  /** Creates a cache for dispatches on `device`. */
  constructor(device: GPUDevice) {
    this.#device = device;
    this.layout = device.createBindGroupLayout({
      label: "portion",
      entries: [{ binding: 0, visibility: COMPUTE, buffer: { type: "uniform" } }],
    });
  }

  /** The bind group of a piece. */
  of({ group: [x, y, z], start, end }: Pick<Piece, "group" | "start" | "end">): GPUBindGroup {
    return getOrMake(this.#groups, [x, y, z, start, end].join(), () => {
      const at = this.#groups.size % BUFFER;
      if (at === 0 || this.#buffer === undefined) {
        this.#buffer = this.#device.createBuffer({
          label: "portions",
          size: ALIGNED * BUFFER,
          usage: UNIFORM | COPY_DST,
        });
      }
      const buffer = this.#buffer;
      this.#device.queue.writeBuffer(buffer, ALIGNED * at, Uint32Array.of(x, y, z, start, end, 0, 0, 0));
      return this.#device.createBindGroup({
        label: "portion",
        layout: this.layout,
        entries: [{ binding: 0, resource: { buffer, offset: ALIGNED * at, size: SIZE } }],
      });
    });
  }
}

import { getOrMake } from "../../foundation/newer.ts";
import type { Semiring } from "../../circuits/mod.ts";
import { DeviceMemoryError } from "./memory.ts";
import { rowsFor } from "./samples.ts";
import type { SoftRoom } from "./soft_batch.ts";
import {
  type CountBuffers,
  DeviceWorkspace,
  softWords,
  workspaceBytes,
  type WorkspaceContext,
} from "./workspace.ts";

/** Maximum samples per batch: larger ones make no kernel faster. */
const MOST_SAMPLES = 1024;

/** A circuit's workspaces, one per kind of pass, sized by batches and memory. */
export class Workspaces {
  readonly #context: WorkspaceContext;
  readonly #memory: number;
  readonly #kept = new Map<string, DeviceWorkspace>();
  /** Maximum samples, by kind of workspace. */
  readonly #largest = new Map<string, number>();
  /** Maximum samples, lowered when the device had no room for more. */
  #most = MOST_SAMPLES;

  /** Creates workspaces whose arrays take at most `memory` bytes each. */
  constructor(context: WorkspaceContext, memory: number) {
    this.#context = context;
    this.#memory = memory;
  }

  /**
   * Returns a workspace for `rows` samples, or as many as memory allows: halved until the device has room. With
   * `counts` it learns; with `room` it accepts that much soft evidence.
   * @throws {DeviceMemoryError} when there is no room for eight samples
   */
  async get(
    rows: number,
    semiring: Semiring,
    counts: CountBuffers | undefined,
    room?: SoftRoom,
  ): Promise<DeviceWorkspace> {
    const kind = semiring === "max" ? "max" : counts === undefined ? "forward" : "learning";
    const before = this.#kept.get(kind);
    const wanted = Math.min(rows, this.#largestFor(counts !== undefined, room));
    if (before !== undefined && before.layout.capacity >= wanted && hasRoom(before, room)) return before;
    if (before !== undefined) {
      before.release();
      this.#kept.delete(kind);
    }
    for (let capacity = wanted;; capacity = rowsFor(capacity / 2)) {
      try {
        const made = await DeviceWorkspace.create(this.#context, capacity, { counts, semiring, room });
        this.#kept.set(kind, made);
        return made;
      } catch (error) {
        if (!(error instanceof DeviceMemoryError)) throw error;
        const alone = this.#kept.size === 0;
        // The other workspaces can be recreated on demand.
        for (const other of this.#kept.values()) other.release();
        this.#kept.clear();
        if (!alone) {
          capacity *= 2;
          continue;
        }
        if (capacity <= 8) throw error;
        this.#most = rowsFor(capacity / 2);
      }
    }
  }

  /** Maximum samples of a workspace, by the given memory and the device's limits. */
  #largestFor(learning: boolean, room: SoftRoom | undefined): number {
    const fits = getOrMake(this.#largest, JSON.stringify([learning, room]), () => {
      const { plan, open } = this.#context, { device, limits } = open;
      const { all, largest } = workspaceBytes(open, plan, 8, learning, room);
      const most = device.limits.maxStorageBufferBindingSize;
      if (largest > most) {
        throw new DeviceMemoryError("the activations of 8 samples in one binding", largest, most);
      }
      const samples = 8 * Math.min(this.#memory / all, Math.min(limits.binding, limits.buffer) / largest);
      return Math.min(MOST_SAMPLES, Math.max(8, Math.floor(samples) & ~7));
    });
    return Math.min(fits, this.#most);
  }
}

/** Whether a workspace has room for soft evidence of as many samples as it holds. */
function hasRoom({ soft, learning, layout }: DeviceWorkspace, room: SoftRoom | undefined): boolean {
  if (room === undefined) return true;
  const { evidence, sorted } = softWords(room, layout.capacity);
  return soft !== undefined && soft.words.evidence >= evidence &&
    (learning === undefined || soft.words.sorted >= sorted);
}

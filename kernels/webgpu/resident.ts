import type { ParameterArray } from "../../circuits/mod.ts";
import type { Commands } from "./commands.ts";
import type { ParameterPlaces } from "./parameter_places.ts";
import type { DeviceMemory } from "./memory.ts";
import type { ParameterStore } from "./parameters.ts";
import type { ReadBack } from "./readback.ts";
import type { CountBuffers, ParameterBuffers, WorkspaceContext } from "./workspace.ts";

/** A circuit's parameters and accumulated counts on the device: reads, replaces, and saves and restores them. */
export class Resident {
  /** Converts between parameters and the device's pages. */
  readonly store: ParameterStore;
  readonly #buffers: ParameterBuffers;
  readonly #places: ParameterPlaces;
  readonly #memory: DeviceMemory;
  readonly #commands: Commands;
  readonly #readBack: ReadBack;
  readonly #fetch: () => Promise<void>;
  #counts: CountBuffers | undefined;
  #backup: readonly GPUBuffer[] | undefined;

  /** @param fetch submits queued commands and fetches the results requested from `readBack` */
  constructor(
    store: ParameterStore,
    { parameters, places, memory, commands }: WorkspaceContext,
    readBack: ReadBack,
    fetch: () => Promise<void>,
  ) {
    this.store = store;
    this.#buffers = parameters;
    this.#places = places;
    this.#memory = memory;
    this.#commands = commands;
    this.#readBack = readBack;
    this.#fetch = fetch;
  }

  /** Current values of the parameters stored on the device. */
  async values(): Promise<Map<string, ParameterArray>> {
    const { weights, tables } = this.#buffers;
    const pages = await this.read([...weights, ...tables]);
    return this.store.values(pages.slice(0, weights.length), pages.slice(weights.length));
  }

  /** Replaces values of parameters. `all` holds the values of all of them, for the modes of leaves. */
  setValues(values: ReadonlyMap<string, ParameterArray>): void {
    const { weights, tables } = this.#buffers;
    this.store.upload(this.#commands, values, weights, tables);
  }

  /** Updates the modes of leaves, needed by max-product, from `values`. */
  setModes(values: ReadonlyMap<string, ParameterArray>): void {
    this.#commands.write(this.#buffers.modes, 0, this.store.modes(values));
  }

  /** Copies of the pages of weight counts and of leaf statistics. */
  async counts(): Promise<{ weights: Float32Array[]; statistics: Float32Array[] }> {
    const { counts, statistics } = await this.countBuffers();
    const pages = await this.read([...counts, ...statistics]);
    return { weights: pages.slice(0, counts.length), statistics: pages.slice(counts.length) };
  }

  /** Replaces all counts. */
  async setCounts(
    weights: ReadonlyMap<string, Float32Array>,
    statistics: ReadonlyMap<string, Float32Array>,
  ): Promise<void> {
    const buffers = await this.countBuffers();
    this.store.uploadCounts(this.#commands, weights, statistics, buffers.counts, buffers.statistics);
  }

  /** Resets all counts to zero. */
  async clearCounts(): Promise<void> {
    const { counts, statistics } = await this.countBuffers();
    this.#commands.clear(...counts, ...statistics);
    this.#commands.submit();
  }

  /** Runs `body` with zeroed counts, then restores the previous counts. */
  async withOwnCounts<T>(body: () => Promise<T>): Promise<T> {
    const { counts, statistics } = await this.countBuffers();
    const buffers = [...counts, ...statistics];
    this.#backup ??= await this.#memory.allocate(
      "a second set of counts",
      buffers.map(({ label, size }) => ({ label: `${label}, set aside`, bytes: size })),
    );
    const copy = (from: readonly GPUBuffer[], to: readonly GPUBuffer[]) => {
      from.forEach((buffer, i) => this.#commands.copy(buffer, 0, to[i] as GPUBuffer, 0, buffer.size));
      this.#commands.submit();
    };
    copy(buffers, this.#backup);
    await this.clearCounts();
    // After an error the session is abandoned, and the saved counts with it.
    const result = await body();
    copy(this.#backup, buffers);
    return result;
  }

  /** The count buffers, created with zeros on first use. */
  async countBuffers(): Promise<CountBuffers> {
    if (this.#counts === undefined) {
      const { weightPages, statisticsPages } = this.#places;
      const specs = [weightPages, statisticsPages].map(({ sizes }, kind) =>
        sizes.map((numbers, i) => ({
          label: `${kind === 0 ? "counts" : "statistics"} ${i}`,
          bytes: 4 * numbers,
        }))
      );
      const buffers = await this.#memory.allocate("counts of the parameters", specs.flat());
      const split = (specs[0] as unknown[]).length;
      this.#counts = { counts: buffers.slice(0, split), statistics: buffers.slice(split) };
    }
    return this.#counts;
  }

  /** Copies of the contents of buffers. */
  async read(buffers: readonly GPUBuffer[]): Promise<Float32Array[]> {
    const pages: Float32Array[] = [];
    // One at a time: together they may be as large as the model, and staging memory is limited too.
    for (const buffer of buffers) {
      const { data } = await this.#readBack.request([{ buffer, offset: 0, size: buffer.size }]);
      this.#commands.submit();
      await this.#fetch();
      pages.push(new Float32Array(await data));
    }
    return pages;
  }
}

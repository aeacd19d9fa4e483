import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { removeQuietly } from "../../foundation/atomic.ts";
import { Blobs } from "../../runner/store/blobs.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";

const MIB = 1 << 20;
/** Bytes stored in a round. */
const TOTAL = 256 * MIB;
/** Size of an object where there are many. */
const PART = 8 * MIB;
const RUNS = 7;
/** Files of an output of many small ones. */
const SMALL_FILES = 2000;

/** 16 MiB that no disk compresses; `mark` makes them other bytes. */
const bytes = new Uint8Array(16 * MIB);
for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
let marks = 0;
function mark(): void {
  new DataView(bytes.buffer).setUint32(0, ++marks);
}

/** A stream of `size` bytes in pieces. */
export function* stream(size: number, piece: number): Generator<Uint8Array> {
  for (let done = 0; done < size; done += piece) {
    const at = done % bytes.length;
    yield bytes.subarray(at, at + Math.min(piece, size - done));
  }
}

/** Storing objects, as a part of the speed of bare sha256 over the same bytes in the same round. */
export async function measureStoring(folder: string): Promise<Figure[]> {
  const figures = await measureOn(folder, "disk");
  try {
    const memory = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "retort-bench-" });
    try {
      figures.push(...await measureOn(memory, "memory"));
    } finally {
      Deno.removeSync(memory, { recursive: true });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied)) {
      throw error;
    }
    // No file system in memory here: the disk's figures stand alone.
  }
  return [...figures, ...await measureSmall(folder), ...await measureMemory(folder)];
}

async function measureOn(folder: string, where: string): Promise<Figure[]> {
  const store = `${folder}/objects-and-more`;
  const count = TOTAL / PART;
  const sha256 = () => {
    const hash = createHash("sha256");
    for (const piece of stream(TOTAL, MIB)) hash.update(piece);
    hash.digest("hex");
  };
  const variants: Record<string, (blobs: Blobs) => Promise<unknown>> = {
    "write and fdatasync alone, no hash": async () => {
      using file = await Deno.open(`${store}/bare`, { write: true, createNew: true });
      for (const piece of stream(TOTAL, MIB)) {
        for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
      }
      await file.syncData();
    },
    "one object, 1 MiB pieces": (blobs) => blobs.write(stream(TOTAL, MIB)),
    "one object, 64 KiB pieces": (blobs) => blobs.write(stream(TOTAL, 65_536)),
    [`${count} objects of 8 MiB, one artifact`]: async (blobs) => {
      await using batch = blobs.batch();
      for (let i = 0; i < count; i++) {
        mark();
        await batch.write(stream(PART, MIB));
      }
      await batch.done();
    },
    [`${count} objects of 8 MiB, ${count} artifacts`]: async (blobs) => {
      for (let i = 0; i < count; i++) {
        mark();
        await blobs.write(stream(PART, MIB));
      }
    },
  };
  const speeds: number[] = [];
  const ratios = new Map<string, number[]>(Object.keys(variants).map((name) => [name, []]));
  for (let run = 0; run < RUNS; run++) {
    for (const [name, store] of Object.entries(variants)) {
      mark();
      const blobs = await emptyStore();
      // Each beside its own hash of the same bytes: what else the machine does falls on both.
      const bare = await milliseconds(sha256);
      const stored = await milliseconds(() => store(blobs));
      speeds.push(TOTAL / 1e6 / (bare / 1000));
      ratios.get(name)!.push(100 * bare / stored);
    }
  }
  await emptyStore();
  return [
    figure(`sha256 alone (beside ${where})`, "MB/s", speeds),
    ...[...ratios].map(([name, values]) =>
      figure(
        `${where}: ${name}`,
        "% of sha256",
        values,
        name.startsWith("one object, 1") || name.endsWith("one artifact") ? { atLeast: 70 } : undefined,
      )
    ),
  ];

  /**
   * A new store, with what the last variant left gone, also from the file system's journal. A file that is
   * written and removed before leaves memory for the page cache that this machine has touched: under a
   * hypervisor that takes free memory back, fresh memory costs several times as much as the writing.
   */
  async function emptyStore(): Promise<Blobs> {
    removeQuietly(store);
    for (const name of ["objects", "tmp"]) Deno.mkdirSync(`${store}/${name}`, { recursive: true });
    using file = await Deno.open(`${store}/settle`, { write: true, create: true });
    for (const piece of stream(TOTAL, MIB)) await file.write(piece);
    await file.truncate();
    await file.sync();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return new Blobs(`${store}/objects`, `${store}/tmp`, `${store}/damaged`);
  }
}

/** Outputs of many small files: milliseconds a file, in one artifact and in one each. */
async function measureSmall(folder: string): Promise<Figure[]> {
  const store = `${folder}/small`;
  const together: number[] = [];
  const alone: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    for (const name of ["objects", "tmp"]) Deno.mkdirSync(`${store}/${name}`, { recursive: true });
    const blobs = new Blobs(`${store}/objects`, `${store}/tmp`, `${store}/damaged`);
    const text = () => new TextEncoder().encode(`a small file, ${crypto.randomUUID()}`);
    together.push(
      await milliseconds(async () => {
        await using batch = blobs.batch();
        for (let i = 0; i < SMALL_FILES; i++) await batch.write(text());
        await batch.done();
      }) / SMALL_FILES,
    );
    alone.push(
      await milliseconds(async () => {
        for (let i = 0; i < SMALL_FILES / 10; i++) await blobs.write(text());
      }) / (SMALL_FILES / 10),
    );
    removeQuietly(store);
  }
  return [
    figure(`disk: ${SMALL_FILES} small files, one artifact, each`, "ms", together),
    figure("disk: a small file, an artifact of its own", "ms", alone),
  ];
}

/** Peak memory of a process that stores one object: the same for a small one and for one eight times as large. */
async function measureMemory(folder: string): Promise<Figure[]> {
  const child = fileURLToPath(new URL("store_once.ts", import.meta.url));
  const figures: Figure[] = [];
  for (const size of [64, 512]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-write", child, `${folder}/memory-${size}`, String(size * MIB)],
      stderr: "piped",
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    figures.push(
      figure(`peak memory of a process that stores ${size} MiB`, "MiB", [
        Number(new TextDecoder().decode(stdout)) / MIB,
      ]),
    );
  }
  return figures;
}

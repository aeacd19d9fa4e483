import { joinedBytes } from "../../../foundation/joined_bytes.ts";
import { type Digest, digestBytes } from "../../../foundation/canonical.ts";
import { messageOf } from "../../../foundation/errors.ts";
import { resultOf, type Store } from "../store.ts";
import { objectPath, type Parcel, parcelsOf, recordPath, type StoredObject } from "./layout.ts";
import { AT_ONCE, eachAtOnce, type Remote, RemoteError } from "./remote.ts";

/** What became of a result that was asked for. */
export type FetchedResult =
  | { readonly state: "fetched"; readonly bytes: number }
  | { readonly state: "missing" }
  /** Set aside on the remote, where that can be written. */
  | { readonly state: "damaged"; readonly why: string };

/** What became of a result that was to be put. */
export interface Pushed {
  /** False where the remote had a result of this key. */
  readonly fresh: boolean;
  /** Bytes that went there. */
  readonly bytes: number;
}

/** Small files that go up at once: each is held in memory. */
const PUTS_AT_ONCE = 8;

/** How often a file is read anew before it counts as damaged. */
const READS = 3;

/** Thrown where the remote does not have what a result needs. */
class Lacking extends Error {}

/** Gets a result of a key with all its objects into the store, unless it is there. All bytes are checked. */
export async function fetchResult(store: Store, remote: Remote, key: Digest): Promise<FetchedResult> {
  if (store.lookup(key).state === "found") return { state: "fetched", bytes: 0 };
  const path = recordPath(key);
  const record = await wholeFile(remote, path);
  if (record === undefined) return { state: "missing" };
  const result = resultOf(key, record);
  if (typeof result === "string") {
    return await damaged(remote, path, key, `the record of its result: ${result}`);
  }
  let bytes = 0;
  try {
    await eachAtOnce(parcelsOf(result), AT_ONCE, async (parcel) => {
      // Several come at once: the sum is read when this one is there, not before.
      const came = await fetchParcel(store, remote, parcel);
      bytes += came;
    });
  } catch (error) {
    if (!(error instanceof Lacking)) throw error;
    // Without the record it is put there anew, as soon as somebody has made it again.
    return await damaged(remote, path, key, error.message);
  }
  // An object that lay here may have been dropped meanwhile: then it comes from there as well.
  return await store.commitWhole(result)
    ? { state: "fetched", bytes }
    : await fetchResult(store, remote, key);
}

async function damaged(remote: Remote, path: string, name: string, why: string): Promise<FetchedResult> {
  if (remote.writable) await remote.setAside(path, `damaged/${name}.json`);
  return { state: "damaged", why };
}

async function fetchParcel(store: Store, remote: Remote, parcel: Parcel): Promise<number> {
  const wanted = parcel.objects.filter(({ digest, size }) => !store.blobs.has(digest, size));
  if (wanted.length === 0) return 0;
  if (parcel.path === objectPath(parcel.objects[0]!.digest)) {
    return await fetchObject(store, remote, parcel.objects[0]!);
  }
  const pack = await wholeFile(remote, parcel.path, parcel.size);
  // A mirror of a store's folder has no packs.
  if (pack === undefined) {
    await eachAtOnce(wanted, AT_ONCE, (object) => fetchObject(store, remote, object));
    return wanted.reduce((sum, { size }) => sum + size, 0);
  }
  await using batch = store.blobs.batch();
  let at = 0;
  for (const { digest, size } of parcel.objects) {
    const bytes = pack.subarray(at, at += size);
    if (bytes.length !== size || digestBytes(bytes) !== digest) {
      await lacking(remote, parcel.path, "has other bytes than it should");
    }
    await batch.write(bytes);
  }
  await batch.done();
  return pack.length;
}

/** Gets one object, which lies in its place once its bytes have been checked. */
async function fetchObject(store: Store, remote: Remote, { digest, size }: StoredObject): Promise<number> {
  const path = objectPath(digest);
  let fault = "";
  for (let reads = 0; reads < READS; reads++) {
    // While bytes come, those before them are hashed, written and synced.
    await using batch = store.blobs.batch();
    const came = await batch.write(bytesOf(remote, path, size), digest);
    if (came.digest === digest) {
      await batch.done();
      return size;
    }
    fault = came.size === size
      ? "has other bytes than it should"
      : `has ${came.size} bytes instead of ${size}`;
  }
  return await lacking(remote, path, fault);
}

async function lacking(remote: Remote, path: string, fault: string): Promise<never> {
  if (remote.writable) await remote.setAside(path, `damaged/${path.replaceAll("/", "-")}`);
  throw new Lacking(`${path} ${fault}`);
}

/** The bytes of a small file as they come; undefined where there is none. */
export async function wholeFile(
  remote: Remote,
  path: string,
  size = Infinity,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of bytesOf(remote, path, size)) chunks.push(chunk.slice());
  } catch (error) {
    if (error instanceof Lacking) return undefined;
    throw error;
  }
  return joinedBytes(chunks);
}

/**
 * Reads a file to its end, going on where it breaks off.
 *
 * @param size of what is expected: a stream that ends before it was cut, and one that goes on after it is not read further.
 * @throws Lacking where there is no such file.
 */
async function* bytesOf(remote: Remote, path: string, size: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let cuts = 0;; cuts++) {
    const stream = await remote.read(path, at);
    if (stream === undefined && at === 0) throw new Lacking(`${path} is missing`);
    if (stream === undefined) return;
    try {
      for await (const chunk of stream) {
        at += chunk.length;
        yield chunk;
        if (at > size) return;
      }
      return;
    } catch (error) {
      if (cuts + 1 >= READS) {
        throw new RemoteError(
          "remote/unreachable",
          `${remote.url} does not answer: reading ${path}: ${messageOf(error)}`,
        );
      }
    }
  }
}

/**
 * Puts a result there: what the remote lacks of its objects, then its record.
 *
 * @param known paths that are there for certain.
 * @returns undefined where the store itself does not have all of it.
 */
export async function pushResult(
  store: Store,
  remote: Remote,
  key: Digest,
  known: ReadonlySet<string> = new Set(),
): Promise<Pushed | undefined> {
  if (known.has(recordPath(key))) return { fresh: false, bytes: 0 };
  const found = store.lookup(key);
  const record = found.state === "found" ? store.recordBytes(key) : undefined;
  if (found.state !== "found" || record === undefined) return undefined;
  const parcels = parcelsOf(found.result);
  const there = await remote.has(parcels.map(({ path }) => path).filter((path) => !known.has(path)));
  let bytes = 0;
  const missing = parcels.filter(({ path }) => !there.has(path) && !known.has(path));
  const put = async ({ path, size, objects }: Parcel) => {
    const { digest } = objects[0]!;
    const source = path === objectPath(digest)
      ? { file: await store.blobs.checkedPath(digest, size), size, digest }
      : await joined(store, objects, size);
    if (await remote.put(path, source)) bytes += size;
  };
  // What holds much in memory goes up by itself.
  const { part } = remote.options;
  await eachAtOnce(missing.filter(({ size }) => size <= part), PUTS_AT_ONCE, put);
  await eachAtOnce(missing.filter(({ size }) => size > part), 1, put);
  return { fresh: await remote.put(recordPath(key), record), bytes };
}

async function joined(
  store: Store,
  objects: readonly StoredObject[],
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const pack = new Uint8Array(size);
  let at = 0;
  for (const object of objects) {
    pack.set(await store.blobs.bytes(object.digest, object.size), at);
    at += object.size;
  }
  return pack;
}

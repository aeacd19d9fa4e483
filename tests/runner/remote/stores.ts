/** Stores with results of a few files, for remotes. */
import { type Digest, digestBytes } from "../../../foundation/canonical.ts";
import { makeArtifact } from "../../../runner/store/artifacts.ts";
import { type NodeResult, Store } from "../../../runner/store/store.ts";

/** A store in a folder that goes with it. */
export class ScratchStore implements Disposable {
  readonly folder: string;
  readonly store: Store;

  /** An empty one, in a folder of its own in `home`; without it, in that of the system for such. */
  constructor(home?: string) {
    this.folder = Deno.makeTempDirSync({
      prefix: "retort-remote-",
      ...(home !== undefined && { dir: home }),
    });
    this.store = Store.open(`${this.folder}/store`, { create: true });
  }

  /** Records a result of some files. */
  async add(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<NodeResult> {
    const entries = [];
    await using batch = this.store.blobs.batch();
    for (const [file, bytes] of Object.entries(files)) {
      entries.push({ name: file, ...await batch.write(bytes) });
    }
    await batch.done();
    const key: Digest = digestBytes(name);
    const result: NodeResult = {
      key,
      stage: "test.made",
      node: name,
      run: "20260101t000000-abcdef",
      components: {
        stage: "test.made",
        code: { digest: "", packages: {}, modules: {} },
        params: {},
        inputs: {},
      },
      outputs: { files: makeArtifact("files", 1, { files: entries.length }, entries) },
      seconds: 1,
      finished: "2026-01-01T00:00:00.000Z",
    };
    this.store.commit(result);
    return result;
  }

  /** The bytes of a file of a result, as the store has them. */
  async bytes(key: Digest, file: string): Promise<Uint8Array> {
    const found = this.store.lookup(key);
    if (found.state !== "found") throw new Error(`no result: ${found.state}`);
    const entry = found.result.outputs.files!.files.find(({ name }) => name === file)!;
    return await this.store.blobs.bytes(entry.digest, entry.size);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Bytes that a seed decides. */
export function noise(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Blobs, listFolder } from "../../runner/store/blobs.ts";

const MIB = 1 << 20;

async function withBlobs(action: (blobs: Blobs, folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "retort-batch-" });
  try {
    Deno.mkdirSync(`${folder}/tmp`);
    await action(new Blobs(`${folder}/objects`, `${folder}/tmp`, `${folder}/damaged`), folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes that differ everywhere. */
function numbered(size: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, size);
}

Deno.test("a source in pieces of any size is stored in its order", async () => {
  await withBlobs(async (blobs) => {
    const bytes = numbered(9 * MIB + 5);
    const sizes = [1, 0, 700, 300_000, 65_536, 262_144, 262_145, 2 * MIB + 1, 10, MIB, 5 * MIB];
    function* pieces() {
      // One buffer for all pieces, as readers of files do: what was yielded is overwritten by the next.
      const buffer = new Uint8Array(8 * MIB);
      let at = 0;
      for (const size of [...sizes, Infinity]) {
        const end = Math.min(bytes.length, at + size);
        buffer.set(bytes.subarray(at, end));
        yield buffer.subarray(0, end - at);
        at = end;
      }
    }
    const written = await blobs.write(pieces());
    assert.deepEqual(written, { digest: sha256(bytes), size: bytes.length });
    assert.equal(sha256(await blobs.bytes(written.digest, written.size)), written.digest);
  });
});

Deno.test("all objects of a batch are in place when it is done, equal ones once", async () => {
  await withBlobs(async (blobs, folder) => {
    const contents = Array.from({ length: 40 }, (_, i) => numbered(1000 * (i % 30)));
    await using batch = blobs.batch();
    for (const bytes of contents) await batch.write(bytes);
    await batch.done();
    for (const bytes of contents) assert.equal(await blobs.fault(sha256(bytes), bytes.length), undefined);
    assert.equal([...blobs.list()].length, 30);
    assert.deepEqual(listFolder(`${folder}/tmp`), []);
  });
});

Deno.test("bytes that are written again take the place of an object that was damaged, whatever its size and theirs", async () => {
  const ways = {
    bytes: (blobs: Blobs, bytes: Uint8Array<ArrayBuffer>) => blobs.write(bytes),
    pieces: (blobs: Blobs, bytes: Uint8Array<ArrayBuffer>) => blobs.write([bytes]),
    file(blobs: Blobs, bytes: Uint8Array<ArrayBuffer>) {
      Deno.writeFileSync(`${blobs.tmp}/finished`, bytes);
      return blobs.adopt(`${blobs.tmp}/finished`);
    },
  };
  for (const write of Object.values(ways)) {
    for (const size of [5, 3 * MIB + 1]) {
      await withBlobs(async (blobs, folder) => {
        const bytes = numbered(size);
        const { digest } = await write(blobs, bytes);
        for (const damaged of [new Uint8Array(size), new Uint8Array(3)]) {
          Deno.chmodSync(blobs.path(digest), 0o600);
          Deno.writeFileSync(blobs.path(digest), damaged);
          // As another process: this one may have read the object before.
          const other = new Blobs(blobs.folder, blobs.tmp, blobs.damaged);
          await write(other, bytes);
          assert.equal(await blobs.fault(digest, size), undefined);
          assert.equal(other.damage.size, 0, "no stage has read it");
        }
        assert.deepEqual(listFolder(`${folder}/damaged`), [digest]);
      });
    }
  }
});

Deno.test("a source that fails in the middle leaves nothing, and the batch goes on", async () => {
  await withBlobs(async (blobs, folder) => {
    await using batch = blobs.batch();
    const failing = function* () {
      for (let i = 0; i < 6; i++) yield numbered(MIB);
      throw new Error("no more");
    };
    await assert.rejects(batch.write(failing()), /no more/);
    assert.deepEqual(listFolder(`${folder}/tmp`), []);
    const { digest } = await batch.write(numbered(10));
    await batch.done();
    assert.deepEqual([...blobs.list()].map((object) => object.digest), [digest]);
  });
});

Deno.test("an object that cannot come to its place fails the batch, not the process", async () => {
  await withBlobs(async (blobs, folder) => {
    Deno.writeTextFileSync(`${folder}/objects`, "a file where the folder of objects belongs");
    const attempt = async () => {
      await using batch = blobs.batch();
      await batch.write(numbered(10));
      await batch.write(numbered(20));
      await batch.done();
    };
    await assert.rejects(attempt());
    assert.deepEqual(listFolder(`${folder}/tmp`), []);
  });
});

Deno.test("a finished file is taken over and gone from where it was", async () => {
  await withBlobs(async (blobs, folder) => {
    const bytes = numbered(3 * MIB + 1);
    Deno.writeFileSync(`${folder}/finished`, bytes);
    const adopted = await blobs.adopt(`${folder}/finished`);
    assert.deepEqual(adopted, { digest: sha256(bytes), size: bytes.length });
    assert.equal(await blobs.fault(adopted.digest, adopted.size), undefined);
    assert.throws(() => Deno.statSync(`${folder}/finished`), Deno.errors.NotFound);
  });
});

Deno.test("many small objects, written and taken over, are in place when their batch is done", async () => {
  // Once with the program that syncs the file system, once without one: then each is synced by itself.
  for (const path of [Deno.env.get("PATH")!, "/nonexistent"]) {
    await withBlobs(async (blobs, folder) => {
      const saved = Deno.env.get("PATH")!;
      Deno.env.set("PATH", path);
      try {
        await using batch = blobs.batch();
        for (let i = 0; i < 200; i++) {
          const bytes = new TextEncoder().encode(`object ${i % 150}`);
          const by = { bytes, iterable: [bytes], file: `${folder}/file` };
          if (i % 3 === 0) await batch.write(by.bytes);
          else if (i % 3 === 1) await batch.write(by.iterable);
          else {
            Deno.writeFileSync(by.file, bytes);
            await batch.adopt(by.file);
          }
        }
        await batch.done();
      } finally {
        Deno.env.set("PATH", saved);
      }
      const found = [...blobs.list()];
      assert.equal(found.length, 150);
      for (const { digest, size } of found) assert.equal(await blobs.fault(digest, size), undefined);
      assert.deepEqual(listFolder(`${folder}/tmp`), []);
    });
  }
});

Deno.test("a batch that is not done leaves nothing behind", async () => {
  await withBlobs(async (blobs, folder) => {
    {
      await using batch = blobs.batch();
      for (let i = 0; i < 50; i++) await batch.write(new TextEncoder().encode(`object ${i}`));
    }
    assert.deepEqual(listFolder(`${folder}/tmp`), []);
    assert.deepEqual([...blobs.list()], []);
  });
});

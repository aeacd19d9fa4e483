import assert from "node:assert/strict";
import fc from "fast-check";
import { load } from "npyjs";
import type { Artifact, Codec } from "../../runner/codec.ts";
import { matrixShards, tokenShards } from "../../runner/codecs/shard_codecs.ts";
import { ShardWriter, takeOver } from "../../runner/codecs/shard_writer.ts";
import { type NewShards } from "../../runner/codecs/shards.ts";
import { artifactReader, writeArtifact } from "../../runner/store/artifacts.ts";
import { Blobs } from "../../runner/store/blobs.ts";
import { holds } from "../property.ts";

interface Place {
  readonly blobs: Blobs;
  readonly scratch: string;
  write(codec: Codec<unknown, unknown> | unknown, value: unknown): Promise<Artifact>;
  // deno-lint-ignore no-explicit-any -- tests read what they have written
  read<R>(codec: Codec<R, any>, artifact: Artifact): Promise<R>;
}

async function inPlace(action: (place: Place) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "retort-shards-" });
  try {
    for (const name of ["tmp", "scratch"]) Deno.mkdirSync(`${folder}/${name}`);
    const blobs = new Blobs(`${folder}/objects`, `${folder}/tmp`, `${folder}/damaged`);
    await action({
      blobs,
      scratch: `${folder}/scratch`,
      write: (codec, value) => writeArtifact(blobs, codec as Codec<unknown>, value, "it"),
      read: (codec, artifact) => codec.read(artifactReader(blobs, artifact)),
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Numbers that half precision holds exactly. */
const halves = fc.integer({ min: -2048, max: 2048 }).map((n) => n / 4);

Deno.test("rows come back as they were written, however they are cut", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.record({
        type: fc.constantFrom("f2" as const, "f4" as const),
        width: fc.integer({ min: 1, max: 5 }),
        shardRows: fc.integer({ min: 1, max: 7 }),
        appended: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
        block: fc.integer({ min: 1, max: 10 }),
      }).chain((shape) => {
        const rows = shape.appended.reduce((a, b) => a + b, 0);
        const n = rows * shape.width;
        return fc.record({
          shape: fc.constant({ ...shape, rows }),
          values: fc.array(halves, { minLength: n, maxLength: n }).map((list) => Float32Array.from(list)),
          span: fc.tuple(fc.nat({ max: rows }), fc.nat({ max: rows })).map(([a, b]) =>
            [Math.min(a, b), Math.max(a, b)] as const
          ),
        });
      }),
      async ({ shape: { type, width, shardRows, appended, block, rows }, values, span: [from, to] }) => {
        await inPlace(async (place) => {
          const writer = new ShardWriter({ folder: place.scratch, type, width, shardRows });
          let at = 0;
          for (const n of appended) await writer.append(values.subarray(at, at += n * width));
          assert.equal(writer.rows, rows);
          const artifact = await place.write(matrixShards, await writer.finish());
          assert.deepEqual(artifact.facts, { type, rows, width, shardRows });
          const matrix = await place.read(matrixShards, artifact);
          assert.deepEqual(await matrix.all(), values);
          assert.deepEqual(await matrix.read(from, to), values.slice(from * width, to * width));
          assert.deepEqual(
            Float32Array.from(await matrix.readStored(from, to)),
            values.slice(from * width, to * width),
          );
          const seen: number[] = [];
          for await (const piece of matrix.blocks({ rows: block, from, to })) {
            assert.equal(piece.first, from + seen.length / width);
            assert.equal(piece.values.length, piece.rows * width);
            seen.push(...piece.values);
          }
          assert.deepEqual(Float32Array.from(seen), values.slice(from * width, to * width));
        });
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("the same numbers make the same artifact, whatever came at a time", async () => {
  await inPlace(async (place) => {
    const values = Float32Array.from({ length: 3 * 41 }, (_, i) => Math.fround(Math.sin(i)));
    const make = async (step: number, scratch: string) => {
      Deno.mkdirSync(scratch);
      const writer = new ShardWriter({ folder: scratch, type: "f2", width: 3, shardRows: 10 });
      for (let at = 0; at < values.length; at += 3 * step) {
        await writer.append(values.subarray(at, at + 3 * step));
      }
      return (await place.write(matrixShards, await writer.finish())).digest;
    };
    const digests = [
      await make(1, `${place.scratch}/a`),
      await make(7, `${place.scratch}/b`),
      await make(41, `${place.scratch}/c`),
    ];
    assert.equal(new Set(digests).size, 1);
  });
});

Deno.test("other programs read a shard", async () => {
  await inPlace(async (place) => {
    const writer = new ShardWriter({ folder: place.scratch, type: "f4", width: 2, shardRows: 2 });
    await writer.append([1, 2, 3, 4, 5, 6]);
    const matrix = await place.read(matrixShards, await place.write(matrixShards, await writer.finish()));
    assert.deepEqual(matrix.shards.map(({ rows }) => rows), [2, 1]);
    const bytes = await Deno.readFile(await matrix.path(0));
    const { data, shape } = await load(bytes.buffer);
    assert.deepEqual([[...data as Float32Array], shape], [[1, 2, 3, 4], [2, 2]]);
  });
});

Deno.test("half precision rounds to the nearest, ids keep their values", async () => {
  await inPlace(async (place) => {
    const half = new ShardWriter({ folder: place.scratch, type: "f2", width: 1 });
    await half.append([1 / 3, 65504, 1e-8, -0, 2049]);
    const matrix = await place.read(matrixShards, await place.write(matrixShards, await half.finish()));
    assert.deepEqual([...await matrix.all()], [0.333251953125, 65504, 0, -0, 2048]);
    for (const [type, largest] of [["u1", 255], ["u2", 65535], ["i4", 2 ** 31 - 1]] as const) {
      const writer = new ShardWriter({ folder: place.scratch, type, width: 1 });
      await writer.append(Int32Array.of(0, 1, largest));
      const ids = await place.read(tokenShards, await place.write(tokenShards, await writer.finish()));
      assert.deepEqual(await ids.all(), Int32Array.of(0, 1, largest));
    }
  });
});

Deno.test("what is not such a matrix is refused in words", async () => {
  await inPlace(async (place) => {
    const writer = new ShardWriter({ folder: place.scratch, type: "i4", width: 2, shardRows: 2 });
    await assert.rejects(writer.append([1, 2, 3]), /3 numbers are not whole rows of 2/);
    await writer.append([1, 2, 3, 4, 5, 6]);
    const made = await writer.finish();
    const refused = (value: NewShards, codec: unknown, message: RegExp) =>
      assert.rejects(place.write(codec, value), message);
    await refused(made, matrixShards, /not a `matrix-shards`: element type i4, expected f2, f4/);
    await refused(
      { ...made, shards: made.shards.toReversed() },
      tokenShards,
      /shard 0 has 1 rows, expected 2/,
    );
    const ids = await place.read(tokenShards, await place.write(tokenShards, made));
    await assert.rejects(ids.read(2, 4), /rows 2 to 4 of a matrix with 3 rows/);
    const artifact = await place.write(tokenShards, { ...made, shards: ids.shards });
    await assert.rejects(
      place.read(tokenShards, { ...artifact, facts: { ...artifact.facts, width: 3 } }),
      /shard-00000\.npy has \d+ bytes, expected \d+/,
    );
    assert.throws(() => new ShardWriter({ folder: ".", type: "f4", width: 0 }), /width 0/);
  });
});

Deno.test("damage is found when a shard is read for the first time", async () => {
  await inPlace(async (place) => {
    const writer = new ShardWriter({ folder: place.scratch, type: "f4", width: 1, shardRows: 2 });
    await writer.append([1, 2, 3, 4]);
    const artifact = await place.write(matrixShards, await writer.finish());
    const matrix = await place.read(matrixShards, artifact);
    const path = place.blobs.path(matrix.shards[1]!.entry.digest);
    Deno.chmodSync(path, 0o644);
    const file = Deno.openSync(path, { write: true });
    file.seekSync(-1, Deno.SeekMode.End);
    file.writeSync(Uint8Array.of(7));
    file.close();
    assert.deepEqual([...await matrix.read(0, 2)], [1, 2]);
    await assert.rejects(matrix.read(1, 3), /is damaged: its bytes have changed/);
  });
});

Deno.test("shards move from one folder of objects to another and leave the first as it was", async () => {
  await inPlace(async (first) => {
    const writer = new ShardWriter({ folder: first.scratch, type: "f4", width: 1, shardRows: 2 });
    await writer.append([1, 2, 3]);
    const artifact = await first.write(matrixShards, await writer.finish());
    await inPlace(async (second) => {
      const matrix = await first.read(matrixShards, artifact);
      await assert.rejects(
        second.write(matrixShards, { type: "f4", width: 1, shardRows: 2, shards: matrix.shards }),
        /shard-00000\.npy should be there already/,
      );
      const shards = await takeOver(matrix, second.scratch);
      const moved = await second.write(matrixShards, { type: "f4", width: 1, shardRows: 2, shards });
      assert.equal(moved.digest, artifact.digest);
      assert.deepEqual([...await (await second.read(matrixShards, moved)).all()], [1, 2, 3]);
      for (const { entry } of matrix.shards) assert.equal(await first.blobs.fault(entry.digest), undefined);
    });
  });
});

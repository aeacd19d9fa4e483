import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { packTar, type TarEntry } from "modern-tar";
import { extractArchive, type ExtractOptions, type WantedMember } from "../../datasets/archive.ts";
import { ArchiveError } from "../../datasets/errors.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { ArchiveFormat } from "../../datasets/schema.ts";
import { sha256, someBytes, TempFolder } from "./fault_server.ts";
import { needs } from "../needs.ts";
import { holds } from "../property.ts";

const big = someBytes(200_000);
const small = someBytes(700, 2);

function file(name: string, body: Uint8Array = small, more: Partial<TarEntry["header"]> = {}): TarEntry {
  return { header: { name, size: body.length, type: "file", ...more }, body };
}

const good = [
  { header: { name: "set/", size: 0, type: "directory" } } satisfies TarEntry,
  file("set/big.bin", big),
  file("set/other.txt"),
  file("./set/small.bin", small),
];

const wanted: WantedMember[] = [
  { member: "set/small.bin", path: "small.bin", bytes: small.length, sha256: sha256(small) },
  { member: "set/big.bin", path: "sub/big.bin", bytes: big.length },
];

function pack(format: ArchiveFormat, bytes: Uint8Array): Uint8Array {
  if (format === "tar.gz" || format === "gz") return gzipSync(bytes);
  return format === "tar.zst" ? zstdCompressSync(bytes) : bytes;
}

async function extract(
  folder: TempFolder,
  bytes: Uint8Array,
  more: Partial<ExtractOptions> = {},
) {
  const archive = folder.write("archive", bytes);
  return await extractArchive({
    archive,
    format: "tar",
    members: wanted,
    folder: `${folder.path}/out`,
    ...more,
  });
}

/** Runs an extraction that must fail and must leave nothing. */
async function refused(bytes: Uint8Array, message: RegExp, more: Partial<ExtractOptions> = {}) {
  using folder = new TempFolder();
  await assert.rejects(extract(folder, bytes, more), (error) => {
    assert.ok(error instanceof ArchiveError, String(error));
    assert.match(error.message, message);
    assert.ok(error.message.includes(`${folder.path}/archive`));
    return true;
  });
  assert.deepEqual(folder.list().filter((path) => !path.endsWith("/")), ["archive"]);
}

for (const format of ["tar", "tar.gz", "tar.zst"] as const) {
  Deno.test(`${format}: only the wanted members are unpacked, with their digests`, async () => {
    using folder = new TempFolder();
    const progress: string[] = [];
    const files = await extract(folder, pack(format, await packTar(good)), {
      format,
      onProgress: (path, { bytes, total }) => bytes === total && progress.push(path),
    });
    assert.deepEqual(files, [
      { path: "small.bin", bytes: small.length, sha256: sha256(small) },
      { path: "sub/big.bin", bytes: big.length, sha256: sha256(big) },
    ]);
    assert.deepEqual(folder.list("out/"), ["out/small.bin", "out/sub/", "out/sub/big.bin"]);
    assert.equal(sha256(await Deno.readFile(`${folder.path}/out/sub/big.bin`)), sha256(big));
    assert.deepEqual(progress, ["sub/big.bin", "small.bin"]);
  });

  Deno.test(`${format}: an archive that is cut short or no archive gives nothing`, async () => {
    const bytes = pack(format, await packTar(good));
    for (const keep of [0, 10, 600, bytes.length >> 1, bytes.length - 1]) {
      await refused(bytes.subarray(0, keep), /cannot be read as|has no member/, { format });
    }
    await refused(someBytes(5000), /cannot be read as/, { format });
  });
}

Deno.test("archives made by tar itself are read, names of more than 100 bytes too", async () => {
  using folder = new TempFolder();
  const long = `${"a-rather-long-name".repeat(4)}/${"another".repeat(8)}`;
  folder.write(`in/${long}/x.bin`, small);
  for (const dialect of ["gnu", "pax", "ustar", "v7"]) {
    const name = dialect === "v7" ? "x.bin" : `${long}/x.bin`;
    const at = dialect === "v7" ? `${folder.path}/in/${long}` : `${folder.path}/in`;
    const made = await new Deno.Command("tar", {
      args: [`--format=${dialect}`, "-czf", `${folder.path}/made`, "-C", at, "."],
    }).output();
    assert.ok(made.success, new TextDecoder().decode(made.stderr));
    const files = await extractArchive({
      archive: `${folder.path}/made`,
      format: "tar.gz",
      members: [{ member: name, path: "x.bin", bytes: small.length, sha256: sha256(small) }],
      folder: `${folder.path}/out-${dialect}`,
    });
    assert.equal(files[0]!.bytes, small.length);
  }
});

Deno.test("a single gzip file", async () => {
  const member = { member: "data", path: "data.bin", bytes: small.length, sha256: sha256(small) };
  const more = { format: "gz", members: [member] } as const;
  using folder = new TempFolder();
  assert.deepEqual(await extract(folder, gzipSync(small), more), [
    { path: "data.bin", bytes: small.length, sha256: sha256(small) },
  ]);
  await refused(gzipSync(small).subarray(0, 100), /cannot be read as gz/, more);
  await refused(gzipSync(new Uint8Array(1 << 26)), /larger than the expected 700 bytes/, more);
  await refused(gzipSync(small.subarray(1)), /has 699 bytes, expected 700/, more);
  await refused(gzipSync(someBytes(700, 9)), /has sha256 .*, expected /, more);
  await refused(gzipSync(small), /holds one file, but 2 were asked for/, { format: "gz" });
});

Deno.test("zstd in several frames, with a skippable one between", async () => {
  using folder = new TempFolder();
  const tar = await packTar(good);
  const skippable = new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const cut = 100_003;
  const bytes = new Uint8Array(
    await new Blob([
      zstdCompressSync(tar.subarray(0, cut)) as Uint8Array<ArrayBuffer>,
      skippable,
      zstdCompressSync(tar.subarray(cut)) as Uint8Array<ArrayBuffer>,
    ]).arrayBuffer(),
  );
  assert.equal((await extract(folder, bytes, { format: "tar.zst" })).length, 2);
  const trailing = new Uint8Array([...bytes, 9, 9, 9, 9, 9]);
  await refused(trailing, /bytes follow the zstd data/, { format: "tar.zst" });
});

Deno.test("an unsafe name anywhere spoils the archive", async () => {
  const names = [
    "/etc/x",
    "../x",
    "set/../../x",
    "set\\x",
    "C:/x",
    "a\u0001b",
    "a//b",
    "set/./x",
    "..",
    "a\u0085",
  ];
  for (const name of names) {
    const pax = { pax: { path: name } };
    await refused(await packTar([...good, file("harmless", small, pax)]), /has an unsafe name/);
  }
  // NUL cannot stand in a header's own name field, but in an extended one.
  const nul = await packTar([...good, file("harmless", small, { pax: { path: "a\0b" } })]);
  await refused(nul, /has an unsafe name: it has a control character/);
  await refused(
    await packTar([{ header: { name: "../", size: 0, type: "directory" } }, ...good]),
    /has an unsafe name/,
  );
});

Deno.test("links, devices and pipes are refused, wanted or not", async () => {
  for (const type of ["symlink", "link", "character-device", "block-device", "fifo"] as const) {
    for (const name of ["set/odd", "set/big.bin"]) {
      const odd: TarEntry = { header: { name, size: 0, type, linkname: "/etc/passwd" } };
      await refused(await packTar([odd, ...good]), new RegExp(`is a ${type}: only files and folders`));
    }
  }
  const sparse = file("set/s", small, { pax: { "GNU.sparse.major": "1" } });
  await refused(await packTar([sparse, ...good]), /is a sparse file/);
  const folder: TarEntry = { header: { name: "set/big.bin/", size: 0, type: "directory" } };
  await refused(await packTar([folder, good[3]!]), /is a directory, expected a file/);
});

Deno.test("a member twice, a missing member, a wrong size and a wrong digest are refused", async () => {
  await refused(await packTar([...good, file("set/other.txt")]), /has the member `set\/other\.txt` twice/);
  await refused(await packTar([...good, file("./set/big.bin", big)]), /has the member `set\/big\.bin` twice/);
  await refused(await packTar(good.slice(0, 3)), /has no member `set\/small\.bin`/);
  await refused(
    await packTar([file("set/big.bin", someBytes(200_001)), good[3]!]),
    /has 200001 bytes, expected 200000/,
  );
  await refused(
    await packTar([good[1]!, file("set/small.bin", someBytes(700, 5))]),
    /has sha256 .*, expected /,
  );
  await refused(await packTar(good), /cannot be unpacked to "\.\.\/x": it has a `\.\.` segment/, {
    members: [{ ...wanted[0]!, path: "../x" }],
  });
});

Deno.test("a bomb in a member that nobody asked for is stopped", async () => {
  const bomb = gzipSync(await packTar([...good, file("set/zeros", new Uint8Array(1 << 21))]));
  await refused(bomb, /unpacks to more than 1000000 bytes/, { format: "tar.gz", maxBytes: 1_000_000 });
});

Deno.test("an abort leaves nothing", async () => {
  using folder = new TempFolder();
  const stop = new AbortController();
  const reason = new Error("stop");
  const running = extract(folder, pack("tar.gz", await packTar(good)), {
    format: "tar.gz",
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  });
  await assert.rejects(running, (error) => error === reason);
  assert.deepEqual(folder.list("out/").filter((path) => !path.endsWith("/")), []);
});

Deno.test({
  name: "a full disk is named as such",
  ...needs("linux", Deno.build.os === "linux"),
  async fn() {
    using folder = new TempFolder();
    folder.write("out/sub/x", "");
    await Deno.symlink("/dev/full", `${folder.path}/out/sub/big.bin.unpacking`);
    await assert.rejects(extract(folder, await packTar(good)), (error) => {
      assert.ok(error instanceof RetortError && !(error instanceof ArchiveError));
      return /the disk is full: writing .*big\.bin/.test(error.message);
    });
  },
});

Deno.test("whatever an archive's names, nothing is written outside the folder", async (test) => {
  const segment = fc.constantFrom("..", ".", "", "a", "b", "c:", "\\", "\u0000", "set", "big.bin", "ä");
  const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const type = fc.constantFrom("file", "directory", "symlink", "link");
  await holds(
    test,
    fc.asyncProperty(fc.array(fc.tuple(name, type), { minLength: 1, maxLength: 4 }), async (entries) => {
      using folder = new TempFolder();
      const tar = await packTar(entries.map(([path, type]): TarEntry => ({
        header: { name: "n", size: type === "file" ? 3 : 0, type, linkname: "/tmp", pax: { path } },
        ...(type === "file" ? { body: new Uint8Array(3) } : {}),
      })));
      const members = [...new Set(entries.map(([path]) => path.replace(/^(\.\/)+/, "")))]
        .map((member, index) => ({ member, path: `in/${index}`, bytes: 3 }));
      await extract(folder, tar, { members }).catch((error) =>
        assert.ok(error instanceof ArchiveError, error)
      );
      for (const path of folder.list()) assert.match(path, /^(archive|out\/(in\/(\d)?)?)$/);
    }),
    { numRuns: 100 },
  );
});

Deno.test("damage anywhere in an archive gives an error or the right bytes, never others", async (test) => {
  const bytes = pack("tar.gz", await packTar([file("set/small.bin")]));
  const members = [wanted[0]!];
  await holds(
    test,
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      using folder = new TempFolder();
      const damaged = bytes.slice();
      damaged[at]! ^= flip;
      try {
        await extract(folder, damaged, { format: "tar.gz", members });
      } catch (error) {
        assert.ok(error instanceof ArchiveError, String(error));
        assert.deepEqual(folder.list().filter((path) => !path.endsWith("/")), ["archive"]);
        return;
      }
      assert.equal(sha256(await Deno.readFile(`${folder.path}/out/small.bin`)), sha256(small));
    }),
    { numRuns: 150 },
  );
});

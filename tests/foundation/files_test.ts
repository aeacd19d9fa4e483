import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileAtomic } from "../../foundation/atomic.ts";
import { RetortError } from "../../foundation/errors.ts";
import { fileFault } from "../../foundation/faults.ts";
import { digestFile, FILE_CHUNK } from "../../foundation/file_digest.ts";
import { badFileName, inNumberOrder, unsafeFileName } from "../../foundation/file_names.ts";
import { lock, tryLock } from "../../foundation/locks.ts";
import { Folder } from "../command.ts";
import { needs } from "../needs.ts";

Deno.test("names in the order of their numbers", () => {
  const sorted = [
    "a",
    "a!",
    "a1",
    "a2b1",
    "a2b9",
    "a2b10",
    "a010x",
    "a10",
    "a99999999999999999999",
    "b",
    "b.png",
    "b1.png",
  ];
  for (let shift = 0; shift < sorted.length; shift++) {
    const turned = [...sorted.slice(shift), ...sorted.slice(0, shift)].reverse();
    assert.deepEqual(turned.sort(inNumberOrder), sorted);
  }
  assert.equal(inNumberOrder("a1", "a1"), 0);
});

Deno.test("names that may and may not stand for a file in a folder", () => {
  const fine = [
    "a",
    "a/b.c",
    "..a",
    "ä/ö",
    "a b",
    "console",
    "con1.txt",
    "a/.con",
    "com",
    "com10",
    "nulls/a",
    " a",
  ];
  for (const name of fine) assert.equal(badFileName(name), undefined, name);
  const bad = ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a\\b", "C:a", "a\n", "a\0", "x".repeat(256)];
  for (const name of [...bad, "a/".repeat(200) + "a"]) {
    assert.ok(badFileName(name) !== undefined, name);
    assert.ok(unsafeFileName(name) !== undefined, name);
  }
  // What Windows cannot have; where such a name is in a store already, it is read all the same.
  const devices = [
    "con",
    "PRN.txt",
    "aux.tar.gz",
    "a/Nul",
    "com1",
    "LPT9.md",
    "com²",
    "conin$",
    "CONOUT$.x",
    "con .txt",
  ];
  const special = ["a<b", "a>b", 'a"b', "a|b", "a?", "*", "a.", "a..", "a ", "a./b", "a /b", "\ud800"];
  for (const name of [...devices, ...special]) {
    assert.ok(badFileName(name) !== undefined, name);
    assert.equal(unsafeFileName(name), undefined, name);
  }
});

Deno.test("the digest of a file is that of its bytes, at every border of the pieces", async () => {
  using folder = new Folder();
  for (const size of [0, 1, FILE_CHUNK - 1, FILE_CHUNK, FILE_CHUNK + 1, 3 * FILE_CHUNK + 7]) {
    const bytes = new Uint8Array(size).map((_, i) => i * 31 + (i >> 11));
    Deno.writeFileSync(`${folder.path}/file`, bytes);
    const told: number[] = [];
    const found = await digestFile(`${folder.path}/file`, { onBytes: (n) => told.push(n) });
    assert.deepEqual(found, { digest: createHash("sha256").update(bytes).digest("hex"), size });
    assert.equal(told.at(-1) ?? 0, size);
  }
  const stop = new AbortController();
  const reason = new Error("enough");
  const reading = digestFile(`${folder.path}/file`, {
    signal: stop.signal,
    onBytes: () => stop.abort(reason),
  });
  await assert.rejects(reading, (error) => error === reason);
});

Deno.test("a small file is replaced as a whole; what fails leaves the old one and no rest", () => {
  using folder = new Folder();
  const path = `${folder.path}/file`;
  const bytes = (text: string) => new TextEncoder().encode(text);
  writeFileAtomic(folder.path, path, bytes("old"));
  writeFileAtomic(folder.path, path, bytes("new"));
  assert.equal(Deno.readTextFileSync(path), "new");
  Deno.mkdirSync(`${folder.path}/taken`);
  assert.throws(() => writeFileAtomic(folder.path, `${folder.path}/taken`, bytes("x")));
  assert.deepEqual([...Deno.readDirSync(folder.path)].map((entry) => entry.name).sort(), ["file", "taken"]);
});

Deno.test({
  name: "faults of the disk are told to people; others stay as they are",
  ...needs("linux", Deno.build.os === "linux"),
  fn() {
    const caught = (action: () => void) => {
      try {
        action();
      } catch (error) {
        return fileFault(error, "writing", "x");
      }
      return undefined;
    };
    const full = caught(() => Deno.writeTextFileSync("/dev/full", "x"));
    assert.ok(full instanceof RetortError);
    assert.match(full.message, /the disk is full: writing x failed/);
    assert.match(full.hint!, /deno task gc/);
    const other = caught(() => Deno.readTextFileSync("/nowhere/at/all"));
    assert.ok(other instanceof Deno.errors.NotFound);
    assert.equal(fileFault("text", "writing", "x"), "text");
  },
});

Deno.test("a lock is held by one, or shared by readers; who waits can be called off", async () => {
  using folder = new Folder();
  const path = `${folder.path}/lock`;
  {
    using held = tryLock(path);
    assert.ok(held !== undefined);
    assert.equal(tryLock(path), undefined);
    assert.equal(tryLock(path, "shared"), undefined);
    const stop = new AbortController();
    let waits = 0;
    const waiting = lock(path, { signal: stop.signal, onWait: () => waits++ });
    setTimeout(() => stop.abort(new Error("called off")), 30);
    await assert.rejects(waiting, /called off/);
    assert.equal(waits, 1);
  }
  using one = tryLock(path, "shared");
  using two = tryLock(path, "shared");
  assert.ok(one !== undefined && two !== undefined);
  assert.equal(tryLock(path), undefined);
});

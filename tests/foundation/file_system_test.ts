import assert from "node:assert/strict";
import {
  isNotFolder,
  isNotFound,
  readBytes,
  replaceBytes,
  withFile,
  withTemporaryFolder,
  writeBytes,
} from "../../foundation/file_system.ts";
import { Folder } from "../command.ts";

Deno.test("files are written with their folders, replaced whole, and read in parts", async () => {
  using folder = new Folder();
  const path = `${folder.path}/a/b/file`;
  await writeBytes(path, Uint8Array.of(1, 2, 3));
  await replaceBytes(path, Uint8Array.of(4, 5, 6, 7));
  assert.deepEqual(await readBytes(path), Uint8Array.of(4, 5, 6, 7));
  assert.deepEqual([...Deno.readDirSync(`${folder.path}/a/b`)].map(({ name }) => name), ["file"]);
  await withFile(path, async ({ size, fill }) => {
    assert.equal(size, 4);
    const part = new Uint8Array(2);
    await fill(1, part);
    assert.deepEqual(part, Uint8Array.of(5, 6));
    await assert.rejects(fill(3, part), {
      code: "file/shorter",
      message: /became shorter while it was read/,
    });
  });
});

Deno.test("a file that cannot be replaced leaves nothing behind; what is not there is told from what is no folder", async () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/taken/full`, { recursive: true });
  await assert.rejects(replaceBytes(`${folder.path}/taken`, Uint8Array.of(1)));
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["taken"]);
  await assert.rejects(readBytes(`${folder.path}/none`), isNotFound);
  await writeBytes(`${folder.path}/file`, Uint8Array.of(1));
  await assert.rejects(readBytes(`${folder.path}/file/inside`), isNotFolder);
});

Deno.test("a temporary folder is gone afterwards, whatever happened in it", async () => {
  let path = "";
  await assert.rejects(
    withTemporaryFolder("retort-test-", async (folder) => {
      path = folder;
      await writeBytes(`${folder}/a/file`, Uint8Array.of(1));
      throw new Error("halfway");
    }),
    /halfway/,
  );
  assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
});

Deno.test("where there are no files, as in a browser, that is said", async () => {
  const { process } = globalThis;
  try {
    Reflect.deleteProperty(globalThis, "process");
    await assert.rejects(readBytes("file"), { code: "file/no-files", message: /there are no files here/ });
  } finally {
    Object.defineProperty(globalThis, "process", { value: process, configurable: true, writable: true });
  }
});

import assert from "node:assert/strict";
import { z } from "zod";
import { defineCodec } from "../../runner/codec.ts";
import { files } from "../../runner/codecs/files.ts";
import { json } from "../../runner/codecs/json.ts";
import {
  artifactFromJson,
  artifactJson,
  artifactReader,
  writeArtifact,
} from "../../runner/store/artifacts.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder } from "../command.ts";

Deno.test("files of an artifact that another system could not keep apart are refused", async () => {
  using folder = new Folder();
  const { blobs } = Store.open(folder.store, { create: true });
  const write = (...names: string[]) =>
    writeArtifact(blobs, files, Object.fromEntries(names.map((name) => [name, name])), "the output");
  assert.equal((await write("a", "b/a", "b/c/a", "c")).files.length, 4);
  for (
    const names of [["a", "A"], ["b/a", "B/a"], ["\u00e9", "e\u0301"], ["stra\u00dfe/a", "STRA\u00dfE/a"]]
  ) {
    await assert.rejects(() => write(...names), /two files are named/, names.join());
  }
  for (const names of [["a", "a/b"], ["a/b/c", "a/b"], ["A/b", "a"]]) {
    await assert.rejects(() => write(...names), /is a file and a folder/, names.join());
  }
  await assert.rejects(
    () => write("notes/con.txt"),
    /the output: file name "notes\/con\.txt": `con\.txt` is a device/,
  );
});

Deno.test("an artifact is the same when it was just made and when it is read back", async () => {
  using folder = new Folder();
  const { blobs } = Store.open(folder.store, { create: true });
  const codec = json("value", z.object({ zebra: z.int(), ant: z.object({ z: z.int(), a: z.int() }) }));
  const made = await writeArtifact(blobs, codec, { zebra: 1, ant: { z: 2, a: 3 } }, "the output");
  const read = artifactFromJson(JSON.parse(JSON.stringify(artifactJson(made))));
  assert.equal(JSON.stringify(made.facts), `{"value":{"ant":{"a":3,"z":2},"zebra":1}}`);
  assert.deepEqual(read, made);
  assert.equal(JSON.stringify(read!.facts), JSON.stringify(made.facts));
  // A stage gets the order of the schema.
  assert.equal(
    JSON.stringify(await codec.read(artifactReader(blobs, made))),
    `{"zebra":1,"ant":{"z":2,"a":3}}`,
  );
});

Deno.test("facts of a codec that are no JSON are refused by its name", async () => {
  using folder = new Folder();
  const { blobs } = Store.open(folder.store, { create: true });
  for (const facts of [{ mean: NaN }, { size: 1n }, { made: new Date() }, "text", [1]]) {
    const codec = defineCodec<number>({
      name: "odd",
      version: 1,
      write: async (_value, out) => {
        await out.text("a", "a");
        return facts as never;
      },
      read: () => Promise.resolve(1),
    });
    await assert.rejects(
      () => writeArtifact(blobs, codec, 1, "the output"),
      /the facts of codec `odd` are not plain JSON/,
    );
  }
});

Deno.test("an artifact that holds names which are refused by now can still be read", () => {
  const digest = "0".repeat(64);
  const old = {
    digest,
    codec: "files",
    version: 1,
    facts: {},
    files: [{ name: "what?.txt", size: 1, digest }],
  };
  assert.equal(artifactFromJson(old)!.files[0]!.name, "what?.txt");
  assert.equal(artifactFromJson({ ...old, files: [{ name: "../out", size: 1, digest }] }), undefined);
});

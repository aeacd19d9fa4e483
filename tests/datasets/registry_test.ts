import assert from "node:assert/strict";
import { InvalidDataSet } from "../../datasets/errors.ts";
import { fetchDataSet, type FetchEvent } from "../../datasets/fetch.ts";
import { locate } from "../../datasets/locate.ts";
import { dataSets, findDataSet, findEdition } from "../../datasets/registry.ts";
import { type DataSet, defineDataSet, editionBytes, isFetchable } from "../../datasets/schema.ts";
import { packTar } from "modern-tar";
import { gzipSync } from "node:zlib";
import { entryOf, FaultServer, sha256, someBytes, TempFolder } from "./fault_server.ts";

Deno.test("the registry: unique names and folders, every set fetchable, addresses without surprises", () => {
  const names = dataSets.map((entry) => entry.name);
  assert.deepEqual(names, names.toSorted());
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(dataSets.map((entry) => entry.folder)).size, names.length);
  for (const entry of dataSets) {
    assert.equal(findDataSet(entry.name), entry);
    const got = entry.editions.some((edition) => isFetchable(edition) || edition.byHand !== undefined);
    assert.ok(got, `${entry.name} can be fetched, or says how people get it`);
    for (const edition of entry.editions) {
      assert.equal(findEdition(entry, edition.name), edition);
      assert.ok((editionBytes(edition) ?? 1) > 0);
      const sources = [...edition.files, ...(edition.archive === undefined ? [] : [edition.archive])];
      for (const source of sources) {
        if (source.url === undefined) continue;
        assert.match(source.url, /^https:\/\/[a-z0-9.-]+\/[\w~./-]+$/);
      }
    }
  }
});

Deno.test("what the documentation says of the sets", () => {
  const official = findEdition(findDataSet("cifar-10"), "official");
  assert.equal(official.archive!.bytes, 170_052_171);
  assert.equal(editionBytes(official), 6 * 10_000 * 3073);
  for (
    const [name, variables] of Object.entries({
      nltcs: 16,
      plants: 69,
      jester: 100,
      accidents: 111,
      dna: 180,
    })
  ) {
    const entry = findDataSet(`debd-${name}`);
    // A row is a digit and a comma or line end for each variable.
    for (const file of entry.editions[0]!.files) assert.equal(file.bytes! % (2 * variables), 0, file.path);
  }
  const unverified = dataSets.filter((entry) => entry.editions.some((edition) => edition.unverified));
  assert.deepEqual(unverified.map((entry) => entry.name), [
    "debd-accidents",
    "debd-dna",
    "debd-jester",
    "debd-nltcs",
  ]);
});

Deno.test("an entry that does not fit is refused with every fault", () => {
  const file = { path: "a", bytes: 1, sha256: "0".repeat(64), url: "https://example.org/a" };
  const good = entryOf([file]);
  assert.equal(defineDataSet(good), good);
  const archive = {
    url: "https://example.org/a.tar",
    bytes: 9,
    sha256: "1".repeat(64),
    format: "tar",
    members: { a: "x/a" },
  } as const;
  const bad: [Partial<DataSet> | { editions: unknown }, RegExp][] = [
    [{ name: "No Name" }, /lower case|lower-case/],
    [{ folder: "../up" }, /unsafe path: it has a `\.\.` segment/],
    [{ homepage: "ftp://x" }, /URL/],
    [{ licence: "" }, /licence/],
    [{ editions: [] }, /editions/],
    [{ editions: [{ name: "x", files: [{ ...file, sha256: "ABC" }] }] }, /64 lower-case hex digits/],
    [{ editions: [{ name: "x", files: [{ ...file, bytes: -1 }] }] }, /bytes/],
    [{ editions: [{ name: "x", files: [file, file] }] }, /same path/],
    [{ editions: [{ name: "x", files: [{ path: "a", bytes: 1 }] }] }, /a needs a sha256/],
    [{ editions: [{ name: "x", files: [{ ...file, typo: 1 }] }] }, /typo/],
    [{ editions: [{ name: "x", files: [{ ...file, bytes: undefined }] }] }, /a needs a size/],
    [{ editions: [{ name: "x", byHand: "Ask.", files: [file] }] }, /got by hand, and has an address/],
    [{ editions: [{ name: "x", files: [file] }, { name: "x", files: [file] }] }, /same name/],
    [{ editions: [{ name: "x", files: [file], archive: { ...archive, members: {} } }] }, /each file/],
    [
      { editions: [{ name: "x", files: [file], archive: { ...archive, package: "npm:a@1" } }] },
      /has an address or is a package/,
    ],
    [
      { editions: [{ name: "x", files: [file], archive: { ...archive, url: undefined, package: "a" } }] },
      /expected npm:NAME@VERSION/,
    ],
  ];
  for (const [change, message] of bad) {
    assert.throws(() => defineDataSet({ ...good, ...change } as DataSet), (error) => {
      assert.ok(error instanceof InvalidDataSet);
      assert.match(error.message, message);
      return true;
    });
  }
  defineDataSet({ ...good, editions: [{ name: "x", files: [{ path: "a", bytes: 1 }], archive }] });
});

Deno.test("an edition in an archive: fetched, unpacked, vouched for by a receipt, kept", async () => {
  await using server = new FaultServer();
  using folder = new TempFolder();
  const body = someBytes(5000);
  const tar = gzipSync(
    await packTar([
      { header: { name: "in/a.bin", size: body.length }, body },
      { header: { name: "in/readme.html", size: 2 }, body: "hi" },
    ]),
  );
  const packed = server.add("x/sample.tar.gz", new Uint8Array(tar));
  const entry = entryOf([], {
    editions: [{
      name: "only",
      files: [{ path: "a.bin", bytes: 5000 }],
      archive: {
        url: packed.url!,
        bytes: packed.bytes!,
        sha256: packed.sha256!,
        format: "tar.gz",
        members: { "a.bin": "in/a.bin" },
      },
    }],
  });
  const kinds: string[] = [];
  const onProgress = (event: FetchEvent) => kinds.push(event.kind);
  const located = await fetchDataSet(entry, { folder: folder.path, onProgress });
  assert.equal(located.files[0]!.sha256, sha256(body));
  assert.deepEqual(await locate(entry, { dataFolders: [folder.path] }), located);
  assert.deepEqual(folder.list("sample/"), [
    "sample/.retort-fetch.lock",
    "sample/.retort-unpacked.json",
    "sample/a.bin",
  ]);
  assert.deepEqual([...new Set(kinds)], ["bytes", "done", "unpacking"]);

  await fetchDataSet(entry, { folder: folder.path });
  assert.equal(server.seen.length, 1);

  // A receipt that does not fit vouches for nothing, and so does one for other bytes.
  for (const spoil of ["sample/.retort-unpacked.json", "sample/a.bin"]) {
    folder.write(spoil, "{");
    await fetchDataSet(entry, { folder: folder.path });
    assert.equal(sha256(await Deno.readFile(`${folder.path}/sample/a.bin`)), sha256(body));
  }
  assert.equal(server.seen.length, 3);

  // Put there by hand: found by its size, with no digest to compare with.
  using byHand = new TempFolder();
  byHand.write("sample/a.bin", body);
  assert.equal((await locate(entry, { dataFolders: [byHand.path] })).files[0]!.sha256, undefined);
});

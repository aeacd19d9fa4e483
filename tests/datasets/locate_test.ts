import assert from "node:assert/strict";
import { DataSetDamaged, DataSetMissing, UnknownDataSet } from "../../datasets/errors.ts";
import { fetchDataSet } from "../../datasets/fetch.ts";
import { listDataSets } from "../../datasets/list.ts";
import { checkDigests, dataFolders, fetchFolder, locate } from "../../datasets/locate.ts";
import type { DataFile, DataSet } from "../../datasets/schema.ts";
import { entryOf, sha256, someBytes, TempFolder } from "./fault_server.ts";

const one = someBytes(100), two = someBytes(200, 2), other = someBytes(150, 3);
const fileOf = (path: string, bytes: Uint8Array): DataFile => ({
  path,
  bytes: bytes.length,
  sha256: sha256(bytes),
  url: `http://127.0.0.1/${path}`,
});
const entry: DataSet = entryOf([], {
  folder: "family/sample",
  editions: [
    { name: "first", files: [fileOf("one", one), fileOf("sub/two", two)] },
    { name: "second", files: [{ path: "one", bytes: other.length, sha256: sha256(other) }] },
  ],
});

Deno.test("a set is found in the first folder that has all of it", async () => {
  using a = new TempFolder();
  using b = new TempFolder();
  const places = { dataFolders: [a.path, b.path] };
  b.write("family/sample/one", one);
  b.write("family/sample/sub/two", two);
  // Half a set in an earlier place is no set: it may be one that is being fetched.
  a.write("family/sample/one", one);
  const located = await locate(entry, places);
  assert.deepEqual(located, {
    name: "sample",
    edition: "first",
    folder: `${b.path}/family/sample`,
    files: [
      { path: "one", location: `${b.path}/family/sample/one`, bytes: 100, sha256: sha256(one) },
      { path: "sub/two", location: `${b.path}/family/sample/sub/two`, bytes: 200, sha256: sha256(two) },
    ],
  });
  a.write("family/sample/sub/two", two);
  assert.equal((await locate(entry, places)).folder, `${a.path}/family/sample`);
});

Deno.test("editions are told apart by size, and one can be asked for", async () => {
  using a = new TempFolder();
  a.write("family/sample/one", other);
  const places = { dataFolders: [a.path] };
  assert.equal((await locate(entry, places)).edition, "second");
  assert.equal((await locate(entry, { ...places, edition: "second" })).edition, "second");
  await assert.rejects(locate(entry, { ...places, edition: "first" }), DataSetDamaged);
  await assert.rejects(
    locate(entry, { ...places, edition: "secund" }),
    /no edition `secund`; did you mean `second`\?/,
  );
});

Deno.test("files whose sizes nobody has published are found by their names, and got by hand", async () => {
  using a = new TempFolder();
  const places = { dataFolders: [a.path] };
  const byHand = entryOf([], {
    folder: "hand",
    editions: [{ name: "only", byHand: "Ask the authors.", files: [{ path: "one" }, { path: "two" }] }],
  });
  a.write("hand/one", one);
  await assert.rejects(locate(byHand, places), (error) => {
    assert.ok(error instanceof DataSetMissing);
    assert.equal(
      error.hint,
      `Ask the authors. Put one, two into ${a.path}/hand, or set RETORT_DATA to the folder that holds hand/.`,
    );
    return true;
  });
  await assert.rejects(fetchDataSet(byHand, { folder: a.path }), {
    hint: `Ask the authors. Put one, two into ${a.path}/hand.`,
  });
  a.write("hand/two", two);
  const located = await locate(byHand, places);
  assert.deepEqual(located.files.map(({ path, bytes, sha256 }) => [path, bytes, sha256]), [
    ["one", 100, undefined],
    ["two", 200, undefined],
  ]);
  assert.deepEqual((await checkDigests(located)).map((file) => file.sha256), [sha256(one), sha256(two)]);
  const [row] = await listDataSets({ ...places, dataSets: [byHand] });
  assert.deepEqual([row!.status, row!.bytes, row!.downloadBytes], ["found", undefined, undefined]);
  Deno.removeSync(`${a.path}/hand/two`);
  Deno.mkdirSync(`${a.path}/hand/two`);
  await assert.rejects(locate(byHand, places), /two is not a file$/);
});

Deno.test("system folders are looked in last", async () => {
  using a = new TempFolder();
  using system = new TempFolder();
  system.write("one", other);
  const packaged = { ...entry, systemFolders: [system.path] };
  assert.equal((await locate(packaged, { dataFolders: [a.path] })).folder, system.path);
  a.write("family/sample/one", other);
  assert.equal((await locate(packaged, { dataFolders: [a.path] })).folder, `${a.path}/family/sample`);
});

Deno.test("a missing set names every place and the command that fetches it", async () => {
  await assert.rejects(
    locate({ ...entry, systemFolders: ["/nowhere/sys"] }, { dataFolders: ["/nowhere/a", "/nowhere/b"] }),
    (error) => {
      assert.ok(error instanceof DataSetMissing);
      const places = ["/nowhere/a/family/sample", "/nowhere/b/family/sample", "/nowhere/sys"];
      assert.deepEqual(error.places, places);
      for (const place of places) assert.ok(error.message.includes(place));
      assert.match(error.hint!, /deno task data fetch sample\n.*RETORT_DATA.*family\/sample/);
      assert.equal(error.exitCode, 1);
      return true;
    },
  );
  await assert.rejects(locate(entry, { dataFolders: ["/nowhere/a"], edition: "second" }), (error) => {
    assert.ok(error instanceof DataSetMissing);
    assert.match(error.hint!, /no download address. Put one into \/nowhere\/a\/family\/sample/);
    return true;
  });
});

Deno.test("an unknown name is answered with the nearest right one", async () => {
  for (
    const [typed, right] of [
      ["wikitext2", "wikitext-2"],
      ["cifar10", "cifar-10"],
      ["CIFAR_10", "cifar-10"],
      ["nltcs", "debd-nltcs"],
      ["fashion-mnsit", "fashion-mnist"],
    ] as const
  ) {
    await assert.rejects(locate(typed), (error) => {
      assert.ok(error instanceof UnknownDataSet);
      assert.equal(error.exitCode, 2);
      assert.equal(error.message, `there is no data set \`${typed}\`; did you mean \`${right}\`?`);
      assert.match(error.hint!, /debd-plants/);
      return true;
    });
  }
  await assert.rejects(locate("zebra"), { message: "there is no data set `zebra`" });
});

Deno.test("a wrong size is an error at once, with the file, what was expected and what was found", async () => {
  using a = new TempFolder();
  using b = new TempFolder();
  a.write("family/sample/one", someBytes(99));
  b.write("family/sample/one", other);
  await assert.rejects(locate(entry, { dataFolders: [a.path, b.path] }), (error) => {
    assert.ok(error instanceof DataSetDamaged);
    assert.equal(error.file, `${a.path}/family/sample/one`);
    assert.match(error.message, /wrong size: 99 bytes, expected 100 or 150/);
    assert.match(error.hint!, /deno task data fetch sample/);
    return true;
  });
  await Deno.remove(`${a.path}/family/sample/one`);
  await Deno.mkdir(`${a.path}/family/sample/one`);
  await assert.rejects(locate(entry, { dataFolders: [a.path] }), /is not a file, expected 100 or 150 bytes/);
});

Deno.test("digests are checked on request", async () => {
  using a = new TempFolder();
  a.write("family/sample/one", one);
  a.write("family/sample/sub/two", two);
  const located = await locate(entry, { dataFolders: [a.path] });
  const seen: string[] = [];
  const checked = await checkDigests(located, {
    onProgress: (file, bytes) => seen.push(`${file.path} ${bytes}`),
  });
  assert.deepEqual(checked, located.files);
  assert.deepEqual(seen, ["one 100", "sub/two 200"]);
  a.write("family/sample/sub/two", someBytes(200, 9));
  await assert.rejects(checkDigests(located), (error) => {
    assert.ok(error instanceof DataSetDamaged);
    assert.ok(error.message.includes(sha256(two)) && error.message.includes(sha256(someBytes(200, 9))));
    return true;
  });
  a.write("family/sample/sub/two", someBytes(201));
  await assert.rejects(checkDigests(located), /wrong size: 201 bytes, expected 200/);
  await assert.rejects(checkDigests(located, { signal: AbortSignal.abort(new Error("stop")) }), /stop/);
});

Deno.test("the list has a row a set: found, missing or damaged", async () => {
  using a = new TempFolder();
  const sets: DataSet[] = [
    entry,
    { ...entry, name: "absent", folder: "absent" },
    { ...entry, name: "broken", folder: "broken" },
    entryOf([fileOf("one", one)], {
      name: "new",
      editions: [{ name: "x", files: [fileOf("one", one)], unverified: true }],
    }),
  ];
  a.write("family/sample/one", other);
  a.write("broken/one", "too short");
  const rows = await listDataSets({ dataFolders: [a.path], dataSets: sets });
  const common = { title: "a sample", licence: "CC0-1.0" };
  const first = { edition: "first", bytes: 300, downloadBytes: 300, verified: true };
  assert.deepEqual(rows, [
    {
      ...common,
      name: "sample",
      edition: "second",
      bytes: 150,
      downloadBytes: undefined,
      status: "found",
      where: `${a.path}/family/sample`,
      verified: true,
    },
    { ...common, ...first, name: "absent", status: "missing", where: "missing" },
    { ...common, ...first, name: "broken", status: "damaged", where: `${a.path}/broken/one` },
    {
      ...common,
      name: "new",
      edition: "x",
      bytes: 100,
      downloadBytes: 100,
      status: "missing",
      where: "missing",
      verified: false,
    },
  ]);
  assert.ok((await listDataSets({ dataFolders: [] })).length >= 9);
});

Deno.test("the data folders come from the environment", () => {
  const before = ["RETORT_DATA", "RETORT_HOME"].map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const [name] of before) Deno.env.delete(name);
    assert.deepEqual(dataFolders(), [`${Deno.cwd()}/.retort/data`]);
    Deno.env.set("RETORT_HOME", "/h");
    Deno.env.set("RETORT_DATA", "/d");
    assert.deepEqual(dataFolders(), ["/d", "/h/data"]);
    assert.deepEqual(dataFolders("/mine"), ["/d", "/mine/data"]);
    assert.equal(fetchFolder(), "/h/data");
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
});

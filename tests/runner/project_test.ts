import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { CallError } from "../../foundation/errors.ts";
import { ownExport, PACKAGE_NAME, VERSION } from "../../foundation/own_package.ts";
import { Packages } from "../../runner/packages.ts";
import { configAbove, projectOf, readProject } from "../../runner/project.ts";
import { Folder, ROOT } from "../command.ts";

/** Writes files of a project, JSON as such. */
function write(folder: Folder, files: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(files)) {
    const path = `${folder.path}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  }
}

const LOCK = {
  version: "5",
  specifiers: { "npm:ms@2.1.3": "2.1.3" },
  npm: { "ms@2.1.3": { integrity: "sha512-a" } },
};

/** What a fault says, with its code. */
function fault(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof CallError, String(error));
    return `${error.code}: ${error.message}`;
  }
  assert.fail("nothing was refused");
}

Deno.test("the nearest deno.json above a pipeline is its project, comments and all", () => {
  using folder = new Folder();
  write(folder, {
    "deno.json": { imports: { a: "./outer.ts" } },
    "inner/deno.jsonc":
      '{ // mine\n "imports": { "b": "./b.ts", "m/": "npm:/ms@2.1.3/", }, "lock": "x.lock" }',
    "inner/pipelines/first.ts": "",
  });
  const project = projectOf(`${folder.path}/inner/pipelines/first.ts`);
  assert.equal(project.config, `${folder.path}/inner/deno.jsonc`);
  assert.equal(project.lock, `${folder.path}/inner/x.lock`);
  assert.deepEqual(project.imports.imports, {
    b: pathToFileURL(`${folder.path}/inner/b.ts`).href,
    "m/": "npm:/ms@2.1.3/",
  });
  assert.equal(configAbove(`${folder.path}/inner/pipelines`), project.config);
});

Deno.test("a member of a workspace has the root's imports and lock file besides its own; a neighbour has not", () => {
  using folder = new Folder();
  write(folder, {
    "deno.json": { workspace: ["./packages/*"], imports: { a: "npm:a@1.0.0", b: "npm:b@1.0.0" } },
    "packages/mine/deno.json": { imports: { b: "npm:b@2.0.0" } },
    "elsewhere/deno.json": {},
  });
  const mine = readProject(`${folder.path}/packages/mine/deno.json`);
  assert.equal(mine.lock, `${folder.path}/deno.lock`);
  assert.deepEqual(mine.imports.imports, { a: "npm:a@1.0.0", b: "npm:b@2.0.0" });
  const elsewhere = readProject(`${folder.path}/elsewhere/deno.json`);
  assert.equal(elsewhere.lock, `${folder.path}/elsewhere/deno.lock`);
  assert.deepEqual(elsewhere.imports.imports, {});
});

Deno.test("imports follow scopes, an import map in a file of its own and a package.json", () => {
  using folder = new Folder();
  write(folder, {
    "deno.json": { importMap: "./maps/map.json" },
    "maps/map.json": { imports: { ms: "npm:ms@2.1.3" }, scopes: { "../old/": { ms: "npm:ms@2.0.0" } } },
    "package.json": { dependencies: { left: "^1.0.0" } },
    "deno.lock": LOCK,
  });
  const packages = Packages.load(readProject(`${folder.path}/deno.json`));
  const from = (path: string) => pathToFileURL(`${folder.path}/${path}`).href;
  assert.equal(packages.resolve("ms", from("new/a.ts")), "npm:ms@2.1.3");
  assert.equal(packages.resolve("ms", from("old/a.ts")), "npm:ms@2.0.0");
  assert.equal(packages.resolve("left/pad", from("a.ts")), "npm:left@^1.0.0/pad");
  assert.equal(packages.resolve("right", from("a.ts")), undefined);
});

Deno.test("Retort's own modules keep Retort's packages, whatever the project calls so", () => {
  using folder = new Folder();
  write(folder, { "deno.json": { imports: { zod: "npm:ms@2.1.3" } }, "deno.lock": LOCK });
  const packages = Packages.load(readProject(`${folder.path}/deno.json`));
  const mine = pathToFileURL(`${folder.path}/a.ts`).href;
  assert.equal(packages.resolve("zod", mine), "npm:ms@2.1.3");
  const own = packages.resolve("zod", pathToFileURL(`${ROOT}/runner/stage.ts`).href)!;
  assert.match(own, /^npm:zod@\d/);
  // What the project's lock file does not hold yet stands in Retort's own.
  assert.equal(packages.locked(own)[0], "zod");
  assert.deepEqual(packages.versions(), { ms: "2.1.3" });
});

Deno.test("imports of Retort are its modules, by any of its names; what it has not is refused by name", () => {
  const module = (specifier: string) => ownExport(specifier)?.module?.href;
  assert.equal(module(`npm:${PACKAGE_NAME}`), pathToFileURL(`${ROOT}/mod.ts`).href);
  assert.equal(module(`npm:${PACKAGE_NAME}@^0.2.0/circuits`), pathToFileURL(`${ROOT}/circuits/mod.ts`).href);
  assert.equal(
    module(`npm:/${PACKAGE_NAME}@0.2.0/stages/text`),
    pathToFileURL(`${ROOT}/stages/text/mod.ts`).href,
  );
  assert.equal(ownExport(`npm:${PACKAGE_NAME}-other@1.0.0`), undefined);
  assert.equal(ownExport("npm:retort@1.0.0"), undefined);
  const packages = Packages.load(readProject(`${ROOT}/deno.json`));
  const here = pathToFileURL(`${ROOT}/pipelines/a.ts`).href;
  assert.equal(
    fault(() => packages.resolve(`npm:${PACKAGE_NAME}/circuit`, here)),
    `project/import: there is no \`npm:${PACKAGE_NAME}/circuit\``,
  );
});

for (
  const [what, files, expected] of [
    [
      "a broken deno.json",
      { "deno.json": '{ "imports": }' },
      /^project\/config: cannot read \S+deno\.json: /,
    ],
    ["a deno.json that is a list", { "deno.json": [] }, /^project\/config: .*it is no object/],
    ["no lock file", { "deno.json": {} }, /^project\/lock: cannot read the lock file \S+deno\.lock: /],
    [
      "a lock file that is switched off",
      { "deno.json": { lock: false } },
      /^project\/lock: \S+deno\.json says `"lock": false`/,
    ],
    [
      "a broken lock file",
      { "deno.json": {}, "deno.lock": "<<<<<<< HEAD" },
      /^project\/lock: cannot read the lock file /,
    ],
    [
      "a lock file of another time",
      { "deno.json": {}, "deno.lock": { version: "77" } },
      /^project\/lock: the lock file \S+ has format "77", expected 3, 4, 5/,
    ],
    [
      "a lock file of another project",
      { "deno.json": { imports: { ms: "npm:ms@^3.0.0" } }, "deno.lock": { version: "5" } },
      /^project\/lock: \S+deno\.lock does not lock npm:ms@\^3\.0\.0/,
    ],
    [
      "Retort from npm beside the clone whose command is called",
      { "deno.json": { imports: { retort: `npm:${PACKAGE_NAME}@9.8.7` } }, "deno.lock": LOCK },
      /^project\/two-versions: two versions of Retort: \S+deno\.json names 9\.8\.7, the command is of \d\S+ in \S+/,
    ],
    [
      "Retort from npm in the lock file alone",
      {
        "deno.json": {},
        "deno.lock": { version: "5", npm: { [`${PACKAGE_NAME}@9.8.7_commander@1.0.0`]: {} } },
      },
      /^project\/two-versions: .* names 9\.8\.7, /,
    ],
    [
      "another clone",
      {
        "deno.json": { imports: { retort: "./copy/mod.ts" } },
        "deno.lock": LOCK,
        "copy/deno.json": { name: PACKAGE_NAME, version: VERSION },
      },
      /^project\/two-versions: .* names \d\S+ in \S+copy\/, the command is of /,
    ],
  ] as const
) {
  Deno.test(`a project with ${what} is refused`, () => {
    using folder = new Folder();
    write(folder, files);
    assert.match(
      fault(() => Packages.load(readProject(`${folder.path}/deno.json`)).versions()),
      expected,
    );
  });
}

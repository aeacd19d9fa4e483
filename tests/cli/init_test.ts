import assert from "node:assert/strict";
import { dirname } from "node:path";
import { TEMPLATES } from "../../cli/init/template.ts";
import { command, Folder, ROOT } from "../command.ts";

/** Paths of all files in a folder, in order. */
function filesIn(folder: string, inside = ""): string[] {
  return [...Deno.readDirSync(`${folder}/${inside}`)].sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) =>
      isDirectory ? filesIn(folder, `${inside}${name}/`) : [`${inside}${name}`]
    );
}

/** Runs a task of a project as a user does. */
async function task(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", ...args],
    cwd: folder,
    env: { NO_COLOR: "1", INIT_CWD: folder, RETORT_STORE: "", CI: "" },
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("a new project runs, comes from the store, tests its stage, and leaves Retort's lock file alone", async () => {
  using folder = new Folder();
  const project = `${folder.path}/a/my-experiment`;
  const lock = Deno.readTextFileSync(`${ROOT}/deno.lock`);
  const made = await command("init", ["a/my-experiment"], { cwd: folder.path });
  assert.equal(made.code, 0, made.stderr);
  assert.match(
    made.stdout,
    /^ {2}cd a\/my-experiment\n {2}deno task run pipelines\/first\.ts\n {2}deno task test$/m,
  );
  assert.deepEqual(filesIn(project), [
    ".github/workflows/test.yml",
    ".gitignore",
    "README.md",
    "deno.json",
    "pipelines/first.ts",
    "stages/compose.ts",
    "stages/mine.ts",
    "stages/mine_test.ts",
  ]);
  assert.match(Deno.readTextFileSync(`${project}/README.md`), /^# my-experiment\n/);

  // A package of one's own, which Retort does not know.
  const config = JSON.parse(Deno.readTextFileSync(`${project}/deno.json`));
  config.imports["half"] = "./half.ts";
  Deno.writeTextFileSync(`${project}/deno.json`, JSON.stringify(config));
  Deno.writeTextFileSync(`${project}/half.ts`, "export const half = (x: number): number => x / 2;\n");
  const stage = `${project}/stages/compose.ts`;
  const text = Deno.readTextFileSync(stage);
  Deno.writeTextFileSync(
    stage,
    `import { half } from "half";\n${text.replace("repeat(params.times)", "repeat(half(2 * params.times))")}`,
  );

  const first = await task(project, "run", "pipelines/first.ts", "--json");
  assert.equal(first.code, 0, first.stderr);
  const states = (json: string) =>
    JSON.parse(json).nodes.map(({ node, state }: { node: string; state: string }) => `${node} ${state}`);
  assert.deepEqual(states(first.stdout), ["mine.compose ran", "mine.count ran"]);
  Deno.writeTextFileSync(`${project}/half.ts`, "export const half = (x: number): number => 0.5 * x;\n");
  const second = await task(project, "run", "pipelines/first.ts", "--json");
  assert.deepEqual(states(second.stdout), ["mine.compose ran", "mine.count cached"]);
  const checked = await task(project, "test");
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /1 passed/);
  assert.equal(Deno.readTextFileSync(`${ROOT}/deno.lock`), lock);
  assert.ok(filesIn(project).includes("deno.lock"));
});

Deno.test("every template makes a project that tells what it wrote, with nothing left to fill in", async () => {
  using folder = new Folder();
  const there = TEMPLATES.filter((name) =>
    [...Deno.readDirSync(`${ROOT}/templates`)].some((e) => e.name === name)
  );
  assert.ok(there.length >= 2);
  for (const template of there) {
    const project = `${folder.path}/${template}`;
    const { code, stdout, stderr } = await command("init", [project, "--template", template, "--json"]);
    assert.equal(code, 0, stderr);
    const told = JSON.parse(stdout);
    assert.deepEqual(told.files, filesIn(project));
    assert.match(told.try, /^deno task run pipelines\/first\.ts/);
    for (const file of ["pipelines/first.ts", "stages/mine.ts", "stages/mine_test.ts", "README.md"]) {
      assert.ok(told.files.includes(file), `${template}: ${file}`);
    }
    for (const file of told.files) {
      assert.doesNotMatch(
        Deno.readTextFileSync(`${project}/${file}`),
        /\{\{|from "\.\.\/\.\.|file:.*templates/,
        file,
      );
    }
  }
});

Deno.test("an empty folder is filled, and stays the same folder", async () => {
  using folder = new Folder();
  const project = `${folder.path}/here`;
  Deno.mkdirSync(project);
  const { ino } = Deno.statSync(project);
  const { code, stderr } = await command("init", ["."], { cwd: project });
  assert.equal(code, 0, stderr);
  assert.equal(Deno.statSync(project).ino, ino);
  assert.ok(filesIn(project).includes("deno.json"));
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["here"]);
});

Deno.test("what cannot be a project is refused, and nothing is written", async () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/full`);
  Deno.writeTextFileSync(`${folder.path}/full/.hidden`, "");
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  const before = filesIn(folder.path);
  for (
    const [dir, expected, ...more] of [
      ["full", /^error\[command\/folder-not-empty\]: \S+full is not empty\nName a new folder\.$/m],
      ["file", /^error\[command\/folder-not-empty\]: \S+file is no folder$/m],
      ["con", /^error\[command\/options\]: "con" cannot name a project: `con` is a device on Windows$/m],
      ["a?b", /cannot name a project: Windows has no names with \?/],
      ["x/a\nb", /cannot name a project: it has a control character/],
      [
        "new",
        /^error\[command\/usage\]: .*'picture'.*Allowed choices are text, images, rows, plain/m,
        "--template",
        "picture",
      ],
    ] as const
  ) {
    const { code, stderr } = await command("init", [dir, ...more], { cwd: folder.path });
    assert.equal(code, 2, `${dir}: ${stderr}`);
    assert.match(stderr, expected);
  }
  assert.deepEqual(filesIn(folder.path), before);
});

Deno.test("a folder that cannot be written is said plainly, and no part of a project is left", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  const { code, stderr } = await command("init", ["file/inside"], { cwd: folder.path });
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^error\[command\/options\]: \S+file\/inside cannot be made: a folder of its path is a file$/m,
  );
  assert.deepEqual(filesIn(dirname(`${folder.path}/file`)), ["file"]);
});

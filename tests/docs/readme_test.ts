import assert from "node:assert/strict";
import { ROOT } from "../command.ts";

const README = Deno.readTextFileSync(`${ROOT}/README.md`);

Deno.test("README is one screen: two pictures, two commands, what you get, where next", () => {
  assert.ok(README.split("\n").length <= 60, `${README.split("\n").length} lines`);
  assert.ok(README.split(/\s+/).length <= 600, `${README.split(/\s+/).length} words`);
  assert.equal(README.match(/^!\[/gm)?.length, 2, "two pictures");
  const headings = [...README.matchAll(/^## (.*)$/gm)].map((match) => match[1]);
  assert.deepEqual(headings, ["Two commands", "What you get", "Where next"]);
});

Deno.test("README's two commands are tasks and files that there are", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`));
  const commands = [...README.matchAll(/^npx --yes deno@([\d.]+) task (\w+)(?: (\S+\.ts))?/gm)];
  assert.equal(commands.length, 2);
  for (const [, version, task, file] of commands) {
    assert.equal(version, commands[0]![1]);
    assert.ok(task! in tasks, task);
    if (file !== undefined) assert.ok(Deno.statSync(`${ROOT}/${file}`).isFile);
  }
});

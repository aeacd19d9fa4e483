import assert from "node:assert/strict";
import { COMMANDS } from "../../cli/commands.ts";
import { ROOT } from "../command.ts";

const read = (path: string) => Deno.readTextFileSync(`${ROOT}/${path}`);

Deno.test("what the tables of docs/coming_from.md call Retort's is exported, a command or a flag", () => {
  const kept = "tests/golden/kept/api";
  const exported = [...Deno.readDirSync(`${ROOT}/${kept}`)].map(({ name }) => read(`${kept}/${name}`));
  exported.push(read("circuits/steps/kinds.ts"));
  const words = new Set(exported.flatMap((text) => text.match(/\w+/g)!));
  const flags = new Set(read("docs/pipelines.md").match(/--[\w-]+/g)!);
  const known = (word: string) =>
    word.startsWith("--") ? flags.has(word) : words.has(word) || Object.hasOwn(COMMANDS, word);
  const rows = read("docs/coming_from.md").split("\n").filter((line) => line.startsWith("| ")).map((line) =>
    line.split(" | ").at(-1)!
  );
  const said = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!))
    .filter((code) => !/^NAME\.|^\{/.test(code)).flatMap((code) =>
      code.startsWith("deno task ") ? [code.split(" ")[2]!] : code.match(/^(--)?[\w-]+/)!.slice(0, 1)
    );
  assert.ok(said.length > 50, said.join());
  assert.deepEqual(said.filter((word) => !known(word)), []);
  assert.ok(!known("squareCircuit") && !known("--slurm"));
});

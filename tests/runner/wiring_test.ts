import assert from "node:assert/strict";
import { ROOT } from "../command.ts";

const FOLDER = `${ROOT}/tests/fixtures/wiring`;

/** Each file must not compile, and the compiler must speak of this. They are not named `.ts`, or the type check of everything would fail. */
const WRONG: Record<string, RegExp> = {
  wrong_codec: /wiring-centroids/,
  missing_input: /labels/,
  unknown_input: /more/,
  wrong_param: /'string' is not assignable to type 'number'/,
  missing_param: /Expected/,
  unknown_param: /cuont/,
  unknown_output: /lables/,
};

async function check(...files: string[]): Promise<{ ok: boolean; text: string }> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--config", `${ROOT}/deno.json`, ...files],
    env: { NO_COLOR: "1" },
  }).output();
  return { ok: success, text: new TextDecoder().decode(stderr) };
}

Deno.test("a well wired pipeline compiles", async () => {
  const { ok, text } = await check(`${FOLDER}/right.ts`);
  assert.ok(ok, text);
});

Deno.test("an artifact of the wrong type, a wrong input, output or parameter does not compile", async () => {
  const copies = Object.keys(WRONG).map((name) => `${FOLDER}/.${name}.${Deno.pid}.ts`);
  try {
    for (const [i, name] of Object.keys(WRONG).entries()) {
      Deno.copyFileSync(`${FOLDER}/${name}.ts.txt`, copies[i]!);
    }
    const { text } = await check(...copies);
    const errors = text.split(/(?=TS\d+ \[ERROR\]: \S)/).filter((part) => part.startsWith("TS"));
    for (const [name, message] of Object.entries(WRONG)) {
      const own = errors.filter((error) => error.includes(`/.${name}.${Deno.pid}.ts:`));
      assert.equal(own.length, 1, `${name}: one error, the expected one\n${text}`);
      assert.match(own[0]!, message);
    }
    assert.equal(errors.length, copies.length, text);
  } finally {
    for (const copy of copies) Deno.removeSync(copy);
  }
});

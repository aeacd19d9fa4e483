import assert from "node:assert/strict";
import { ROOT } from "../command.ts";
import { checkGolden } from "../golden.ts";

async function help(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "cli/main.ts", ...command, "--help"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Commands that a help text names. */
function commandsIn(text: string): string[] {
  const lines = text.split("Commands:\n")[1]?.split("\n\n")[0]?.split("\n") ?? [];
  return lines.flatMap((line) => /^ {2}([a-z][\w-]*)/.exec(line)?.[1] ?? []).filter((name) =>
    name !== "help"
  );
}

Deno.test("golden: the help of every command", async () => {
  const all = await help();
  const texts = [all];
  const names = commandsIn(all);
  assert.ok(names.length >= 12, names.join());
  for (const text of await Promise.all(names.map((name) => help(name)))) {
    texts.push(text);
    const [, name] = /^Usage: retort (\w+)/.exec(text)!;
    texts.push(...await Promise.all(commandsIn(text).map((below) => help(name!, below))));
  }
  // How many workers there are by default depends on the machine.
  const text = texts.map((one) => one.replaceAll(/(--jobs <n>[^]*?\(default: )\d+/g, "$1N")).join(
    `\n${"-".repeat(80)}\n`,
  );
  checkGolden("help.txt", text);
});

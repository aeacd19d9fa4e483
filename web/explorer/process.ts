/**
 * The main module of the process that answers questions about models: one at a time, from standard input to standard
 * output. It ends when its input ends, which is when the dashboard is gone.
 */
import { codeOf, exitCodeOf, hintOf, messageOf } from "../../foundation/errors.ts";
import { byteLines } from "../../runner/execute/protocol.ts";
import { Models } from "./models.ts";
import { type Asked, type FromExplorer, MARK } from "./protocol.ts";

function tell(told: FromExplorer): void {
  const bytes = new TextEncoder().encode(`\n${MARK}${JSON.stringify(told)}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch {
    Deno.exit(1); // Nobody reads.
  }
}

// Ctrl-C reaches every process of the terminal; this one ends with its parent instead.
Deno.addSignalListener("SIGINT", () => {});
const models = new Models();
for await (const line of byteLines(Deno.stdin.readable)) {
  const { id, store, question } = JSON.parse(line) as Asked;
  try {
    tell({ id, answer: await models.answer(store, question) });
  } catch (error) {
    tell({
      id,
      code: codeOf(error) ?? "command/unexpected",
      error: messageOf(error),
      hint: hintOf(error) ?? null,
      wrongCall: exitCodeOf(error) === 2,
    });
  }
}
Deno.exit(0);

/**
 * Measures what docs/performance.md tells and writes its tables anew. Every benchmark keeps its figures in bench/history, the page holds the
 * last ones of each call.
 *
 *     deno task bench:all                                 lists the calls and when they were measured
 *     deno task bench:all --write                         all of them, some three hours: on a machine that does nothing else
 *     deno task bench:all --write --only kernels --only "runner --part storing"
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { tableText } from "../foundation/text.ts";
import { type BenchCall, callsOf, lastKept, renewed } from "./page.ts";

const PAGE = fileURLToPath(new URL("../docs/performance.md", import.meta.url));

const { values: options } = parseArgs({
  options: { write: { type: "boolean" }, only: { type: "string", multiple: true } },
});
const all = callsOf(Deno.readTextFileSync(PAGE));
const isMeant = ({ text }: BenchCall, only: string) => text === only || text.startsWith(`${only} `);
const unknown = options.only?.find((only) => !all.some((call) => isMeant(call, only)));
if (unknown !== undefined) {
  console.error(
    `no table of docs/performance.md is filled by "${unknown}"; \`deno task bench:all\` lists the calls`,
  );
  Deno.exit(2);
}
const calls = all.filter((call) => options.only?.some((only) => isMeant(call, only)) ?? true);

if (options.write) {
  const failed: string[] = [];
  for (const call of calls) {
    console.error(`\n${call.text}`);
    if (!await measure(call)) failed.push(call.text);
    // After each: what was measured is kept if the next one is interrupted.
    Deno.writeTextFileSync(PAGE, renewed(Deno.readTextFileSync(PAGE)));
  }
  if (failed.length > 0) {
    console.error(`\nnot measured, their tables are as they were:\n${failed.join("\n")}`);
    Deno.exitCode = 1;
  }
} else {
  const rows = calls.map((call) => {
    const kept = lastKept(call);
    return [call.text, kept?.date.slice(0, 10) ?? "never", kept?.commit ?? "", kept?.machine ?? ""];
  });
  console.log(tableText(["CALL", "MEASURED", "COMMIT", "MACHINE"], rows));
}

/** Whether a call kept new figures; its exit code also tells of missed targets. */
async function measure(call: BenchCall): Promise<boolean> {
  const before = lastKept(call)?.date;
  const file = fileURLToPath(new URL(`${call.bench}.ts`, import.meta.url));
  const [program, ...args] = [
    ...call.prefix,
    Deno.execPath(),
    "run",
    "--allow-all",
    file,
    ...call.args,
    "--history",
  ];
  await new Deno.Command(program!, { args, cwd: fileURLToPath(new URL("..", import.meta.url)) }).spawn()
    .status;
  return lastKept(call)?.date !== before;
}

import wabt from "wabt";
import { watOf } from "../../kernels/gates/wat.ts";
import { checkGolden } from "../golden.ts";

Deno.test("the arithmetic of gates that pages load is what the text compiles to", async () => {
  const parsed = (await wabt()).parseWat("gates.wat", watOf(), { simd: true });
  const bytes = new Uint8Array(parsed.toBinary({}).buffer);
  parsed.destroy();
  checkGolden(
    "../../../kernels/gates/compiled.ts",
    `/**
 * The module of wat.ts for one thread, compiled, in base64: pages have no compiler of its text. \`deno task golden\` writes it.
 */
${"export"} const GATES_WASM: string =
  "${bytes.toBase64()}";
`,
  );
});

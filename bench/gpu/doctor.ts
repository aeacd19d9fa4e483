/** Prints as JSON what the doctor finds of a machine's engines; ends with 1 where a self-test fails. `doctor.ts [ADAPTER]` */
import { examine } from "../../kernels/doctor.ts";

const diagnosis = await examine(Deno.args[0]);
console.log(JSON.stringify(diagnosis, null, 2));
if (diagnosis.engines.some(({ selfTest }) => selfTest?.passed === false)) Deno.exitCode = 1;

/** Vectors of a small language model and a small autoencoder on the engine named, as JSON, with what computed them. Run by a test. */
import type { EngineChoice } from "../../foundation/engine_choice.ts";
import { autoencoderFeatures, autoencoderPlans } from "../../teachers/masked_autoencoder.ts";
import { maskedLmPlans } from "../../teachers/masked_lm.ts";
import { maskedLmTeacher } from "../../teachers/masked_lm_teacher.ts";
import { openTeacher } from "../../teachers/teacher.ts";
import { startingNumbers } from "../../teachers/transformer.ts";

const used: string[] = [], said: string[] = [];
const options = {
  engine: Deno.args[0] as EngineChoice,
  used: (engine: string) => used.push(engine),
  log: (message: string) => said.push(message),
};

const language = { tokens: 9, length: 8, width: 16, layers: 1, heads: 2, hidden: 24 };
const files = maskedLmTeacher(language, startingNumbers(maskedLmPlans(language), 1), {
  name: "small",
  unknown: 0,
  end: 1,
});
await using teacher = await openTeacher(files, options);
const batch = {
  count: 3,
  positions: 4,
  ids: Int32Array.of(2, 3, 4, 5, 6, 7, 8, 0, 3, 5, 0, 0),
  lengths: Int32Array.of(4, 3, 2),
};
// The first batch is compared with the CPU's, later ones are the device's alone.
await teacher.embed(batch);
const embedded = await teacher.embed(batch);
const both = [...embedded.subarray(0, 7 * 16), ...embedded.subarray(8 * 16, 10 * 16)];

const encoder = { width: 16, layers: 1, heads: 2, hidden: 24 };
const images = { rows: 3, columns: 3, patch: 4, encoder, decoder: encoder };
const program = await autoencoderFeatures(images, 2, 3, options);
const numbers = {
  ...Object.fromEntries(startingNumbers(autoencoderPlans(images), 2)),
  visible: Float32Array.from({ length: 2 * 3 * 4 }, (_, i) => Math.sin(i)),
  visibleAt: BigInt64Array.of(0n, 1n, 3n, 4n, 1n, 5n),
};
await program.run(numbers);
const features = [...(await program.run(numbers))["features"]!];
await program.release();
console.log(JSON.stringify({ used, said, vectors: [both, features] }));

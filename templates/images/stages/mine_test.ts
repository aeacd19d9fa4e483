import assert from "node:assert/strict";
import { runStage } from "retort/testing";
import { measure } from "./mine.ts";

Deno.test("half of the pixels white is half of the light", async () => {
  const space = { height: 1, width: 2, channels: 1, levels: [256], transform: "none" as const, steps: [] };
  const { light } = await runStage(measure, { images: { space, count: 1, pixels: Uint8Array.of(0, 255) } });
  assert.deepEqual(light, { pictures: 1, mean: 0.5 });
});

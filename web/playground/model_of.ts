import type { Circuit } from "../../circuits/circuit.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { CallError } from "../../foundation/errors.ts";
import { VERSION } from "../../foundation/own_package.ts";
import type { Records } from "../../runner/records/records.ts";
import type { ArtifactRecord } from "../../runner/records/rows.ts";
import { resolveArtifact } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { vocabulary } from "../../stages/text/codecs.ts";
import type { TextModelFile } from "../../browser/model_file.ts";
import { explorePage } from "../dashboard/explore.ts";
import { readArtifact } from "../explorer/models.ts";

/** Lines of provenance that are scores, and sentences that a page offers to begin with. */
const SCORES = 6, EXAMPLES = 4;

/**
 * A model of texts out of a store, with its vocabulary and what its records say of it.
 *
 * @throws CallError when it is no model of texts.
 */
export async function textModelOf(
  store: Store,
  records: Records,
  record: ArtifactRecord,
  told: { readonly title?: string; readonly examples?: readonly string[] } = {},
): Promise<TextModelFile> {
  const { artifact } = record;
  const page = await explorePage(store, records, artifact.digest);
  if (page.explorable?.kind !== "text") {
    throw new CallError("page/argument", `${record.node}:${record.output} is no model of texts`, {
      hint: "A page takes a circuit over the tokens of a vocabulary, such as `RUN/model` of a text pipeline.",
    });
  }
  const model: Circuit = await readArtifact(store, circuit, artifact);
  const words: Vocabulary = await readArtifact(
    store,
    vocabulary,
    resolveArtifact(records, page.explorable.vocabulary).artifact,
  );
  return {
    circuit: model,
    vocabulary: words,
    story: {
      title: told.title ?? `${page.name}, of the pipeline ${page.pipeline}`,
      examples: told.examples ?? page.sentences.slice(0, EXAMPLES),
      provenance: [
        ["pipeline", page.pipeline],
        ["run", page.run],
        ["made by", `${page.node}, stage ${record.stage}`],
        ["digest", artifact.digest],
        ["Retort", VERSION],
        ...page.measured.slice(0, SCORES),
      ],
    },
  };
}

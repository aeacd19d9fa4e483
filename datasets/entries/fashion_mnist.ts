import { type DataFile, type DataSet, defineDataSet } from "../schema.ts";

const official = "https://fashion-mnist.s3.eu-central-1.amazonaws.com";
const mirrors = [
  // The URL given on the authors' page; it is served only without encryption.
  "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
  "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion",
];

function file(path: string, bytes: number, sha256: string): DataFile {
  return {
    path,
    bytes,
    sha256,
    url: `${official}/${path}`,
    mirrors: mirrors.map((mirror) => `${mirror}/${path}`),
  };
}

/** Fashion-MNIST as gzipped IDX files. */
export const fashionMnist: DataSet = defineDataSet({
  name: "fashion-mnist",
  title: "Fashion-MNIST: 70,000 grey images of 28x28 in 10 classes, IDX format, gzipped",
  licence: "MIT",
  homepage: "https://github.com/zalandoresearch/fashion-mnist",
  citation:
    "Han Xiao, Kashif Rasul, Roland Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms. arXiv:1708.07747, 2017.",
  folder: "fashion-mnist",
  systemFolders: ["/usr/share/datasets/fashion-mnist"],
  editions: [
    {
      name: "official",
      files: [
        file(
          "train-images-idx3-ubyte.gz",
          26_421_880,
          "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        file(
          "train-labels-idx1-ubyte.gz",
          29_515,
          "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        file(
          "t10k-images-idx3-ubyte.gz",
          4_422_102,
          "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        file(
          "t10k-labels-idx1-ubyte.gz",
          5_148,
          "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
      ],
    },
    {
      name: "debian",
      note:
        "package dataset-fashion-mnist: the official files without the name and time in their gzip headers",
      files: [
        {
          path: "train-images-idx3-ubyte.gz",
          bytes: 26_421_856,
          sha256: "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
        },
        {
          path: "train-labels-idx1-ubyte.gz",
          bytes: 29_491,
          sha256: "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
        },
        {
          path: "t10k-images-idx3-ubyte.gz",
          bytes: 4_422_079,
          sha256: "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
        },
        {
          path: "t10k-labels-idx1-ubyte.gz",
          bytes: 5_125,
          sha256: "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
        },
      ],
    },
  ],
});

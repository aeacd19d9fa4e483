import { type DataFile, type DataSet, defineDataSet } from "../schema.ts";

const members = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`).concat("test_batch.bin");

const twoBatches: DataFile[] = [
  {
    path: "data_batch_1.bin.gz",
    bytes: 28_269_029,
    sha256: "046c9e13b831726b75f428a986d3ad0dc4254bf42c54d982e74e69da0b85d654",
  },
  {
    path: "data_batch_2.bin.gz",
    bytes: 28_286_020,
    sha256: "42317d6e88a08dcc0d6b800bc33b461bee92ca9d536007b0a10bbfa542bc6798",
  },
  {
    path: "test_batch.bin.gz",
    bytes: 28_254_198,
    sha256: "8c69e454089ccddd7db49c1b9e45bd5cbf069eeb812494af7c40aab310ba5b9e",
  },
];

const otherBatches: DataFile[] = [
  {
    path: "data_batch_3.bin.gz",
    bytes: 28_242_249,
    sha256: "2f94ead11bf09fd53775249e049a76435235659b46aae9e1a2a0cc26fbf34c7f",
  },
  {
    path: "data_batch_4.bin.gz",
    bytes: 28_257_549,
    sha256: "b08da478efddbaf1deca5439824244f3b5622da22d90ba9a6debdf590c218a09",
  },
  {
    path: "data_batch_5.bin.gz",
    bytes: 28_256_314,
    sha256: "a66fb7969047b5677fd5d377320eed3210625dc5f11818e9ab8e3ff62dec20a2",
  },
];

/** CIFAR-10 in its binary format: a label byte, then 3,072 bytes of red, green and blue planes. */
export const cifar10: DataSet = defineDataSet({
  name: "cifar-10",
  title: "CIFAR-10: 60,000 colour images of 32x32 in 10 classes, binary format",
  licence: "none stated; cite Krizhevsky 2009",
  homepage: "https://www.cs.toronto.edu/~kriz/cifar.html",
  citation: "Alex Krizhevsky: Learning Multiple Layers of Features from Tiny Images. Technical report, 2009.",
  folder: "cifar-10",
  editions: [
    {
      name: "official",
      note: "five training batches and a test batch of 10,000 images each",
      // The members' digests are not published; the archive's digest covers them.
      files: members.map((path) => ({ path, bytes: 30_730_000 })),
      archive: {
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        mirrors: ["https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz"],
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        format: "tar.gz",
        members: Object.fromEntries(members.map((path) => [path, `cifar-10-batches-bin/${path}`])),
      },
    },
    {
      name: "shuffled",
      note: "all batches, images in another order, gzipped; no URL",
      files: [...twoBatches, ...otherBatches],
    },
    {
      name: "shuffled-two-batches",
      note: "two of the five training batches and the test batch, images in another order, gzipped; no URL",
      files: twoBatches,
    },
  ],
});

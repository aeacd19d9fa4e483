import { type DataSet, defineDataSet, type Edition } from "../schema.ts";

const repository =
  "https://raw.githubusercontent.com/UCLA-StarAI/Density-Estimation-Datasets/master/datasets";

type Split = readonly [split: "train" | "valid" | "test", bytes: number, sha256: string];

/** A data set of the family: rows of comma-separated 0 and 1, in three files. */
function binarySet(
  name: string,
  variables: number,
  rows: string,
  splits: readonly Split[],
  flags: Pick<Edition, "unverified"> = {},
): DataSet {
  return defineDataSet({
    name: `debd-${name}`,
    title: `${name}: ${variables} binary variables, ${rows} rows (density estimation benchmark)`,
    licence: "none stated; cite Lowd and Davis 2010, Van Haaren and Davis 2012",
    homepage: "https://github.com/UCLA-StarAI/Density-Estimation-Datasets",
    citation: "Daniel Lowd, Jesse Davis: Learning Markov Network Structure with Decision Trees. ICDM 2010. " +
      "Jan Van Haaren, Jesse Davis: Markov Network Structure Learning: A Randomized Feature Generation Approach. AAAI 2012.",
    folder: `debd/${name}`,
    editions: [{
      name: "ucla",
      ...flags,
      files: splits.map(([split, bytes, sha256]) => {
        const path = `${name}.${split}.data`;
        return { path, bytes, sha256, url: `${repository}/${name}/${path}` };
      }),
    }],
  });
}

// Only the digests of `plants` were compared with what the repository serves. The others are of copies from elsewhere,
// and stay marked until a download has been seen to match.
const unseen = { unverified: true };

/** The binary density estimation sets, each under `debd/<name>`. */
export const debd: readonly DataSet[] = [
  binarySet("nltcs", 16, "16,181 + 2,157 + 3,236", [
    ["train", 517_792, "e547a7aedad1dd2f7177030881ab1b92c7e24ae5464c71a0f1f89daecaf52b30"],
    ["valid", 69_024, "93bbbf5c6febdc9bc6e5b5bfab636f4dc0685ab2896d24b23dd267794c3bfcf6"],
    ["test", 103_552, "f9ffa6b74b27dc03bee3203d157ee31079e80b13be40d0c0093d635c25aed523"],
  ], unseen),
  binarySet("plants", 69, "17,412 + 2,321 + 3,482", [
    ["train", 2_402_856, "1fb1219ff94068d12a563f9e81f8889a1885f41e867884cff608669300c6848f"],
    ["valid", 320_298, "47834ed318b2d74f48e4b083226ef47fd446d41986012ceae19d230574821b34"],
    ["test", 480_516, "95f53c033cd1d86467aec2610dc5bfe014534206c2da4919f73bcab246ab8755"],
  ]),
  binarySet("jester", 100, "9,000 + 1,000 + 4,116", [
    ["train", 1_800_000, "dd93578c3359d5b234bb278bf0901c5215d83b910f7d51d7c91951a0a4c244cd"],
    ["valid", 200_000, "91df833941e189265345898d3f63211560c2456df599f34beee8e95381ee7524"],
    ["test", 823_200, "346044fb561cf18f284f7e9d5896178b03048991b6ebb6f7482885fccbc16082"],
  ], unseen),
  binarySet("accidents", 111, "12,758 + 1,700 + 2,551", [
    ["train", 2_832_276, "a76648cf00772c275b4277b21d858e235e3c6d3c5ef30beeb4958189b6bed21c"],
    ["valid", 377_400, "fd3a80a0f411f157cf3772a057d26980bb166cb89b10cafb818a53f1ec30d46d"],
    ["test", 566_322, "df3f1b6c035bf3e306a7d7127320e479d2546ce14a5d6d3043e6be0925b8b414"],
  ], unseen),
  binarySet("dna", 180, "1,600 + 400 + 1,186", [
    ["train", 576_000, "bb8de0ca4b6ad9b610036b7a302962ebecd4b504354b14c02c7d0bee48d207d9"],
    ["valid", 144_000, "4b0fc89cda5eaf5c75926e281afb6af99de194a546070d5b81b524ba251f4f3f"],
    ["test", 426_960, "fec3ae7b26804020a9c43c99828441c5e08bb76b23719368a74ad2b09af99100"],
  ], unseen),
];

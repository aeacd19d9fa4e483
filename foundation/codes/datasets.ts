import type { CodeEntry } from "./entry.ts";

/** Codes of the room `datasets`: data sets, packages, tables and images. Those of texts are in texts.ts. */
export type DataCode =
  | "data/unknown"
  | "data/missing"
  | "data/damaged"
  | "data/download"
  | "data/no-download"
  | "data/archive"
  | "data/entry"
  | "package/reference"
  | "package/unavailable"
  | "package/registry-answer"
  | "package/registry-unreachable"
  | "package/unauthorised"
  | "package/settings"
  | "table/values"
  | "table/columns"
  | "table/files"
  | "images/files"
  | "images/format"
  | "images/sizes"
  | "images/levels"
  | "images/transform"
  | "images/empty"
  | "images/too-few";

/** What they mean. */
export const dataCodes: Readonly<Record<DataCode, CodeEntry>> = {
  "data/unknown": {
    means: "No data set, or no edition of one, has this name.",
    example: "there is no data set `mnits`; did you mean `mnist`?",
    remedy: "`deno task data list` lists all.",
  },
  "data/missing": {
    means: "The data set is not on this machine.",
    example: "data set `mnist` is not on this machine; looked in:\n  /home/me/.retort/data/mnist",
    remedy: "`deno task data fetch NAME`, or point RETORT_DATA at the folder that has it.",
  },
  "data/damaged": {
    means: "A file of a data set has other bytes or another size than the registry says.",
    example: "data set `mnist`: /data/mnist/train.gz has the wrong bytes: sha256 12, expected 34",
    remedy: "Remove the file and fetch it again; do not use it unchecked.",
  },
  "data/download": {
    means: "A download failed at every address.",
    example:
      "/data/mnist/train.gz could not be downloaded:\n  https://example.org/train.gz: the server sent nothing for 30 s",
    remedy: "Run the same command again to go on where it stopped, or put the file there by hand.",
  },
  "data/no-download": {
    means: "This edition of a data set has no download address.",
    example: "data set `corpus`, edition `full`, has no download address",
    remedy: "Get the files that the hint names by other means and put them into the folder.",
  },
  "data/archive": {
    means: "An archive is damaged, unsafe or not what was expected. Nothing was unpacked.",
    example: "archive /data/corpus.tar.gz cannot be read as tar.gz: unexpected end",
    remedy: "Remove it and fetch it again.",
  },
  "data/entry": {
    means: "An entry of the registry of data sets does not fit its schema.",
    example: "data set `mine` is not a valid entry:\nlicence: expected string",
    remedy: "Correct the entry; `DataSet` in datasets/schema.ts describes it.",
  },
  "package/reference": {
    means:
      "A reference to a file in a package is not usable: no exact version, no sha256, or a path that cannot be.",
    example: "`npm:left-pad` names no version of a package",
    remedy: "Write npm:NAME@VERSION or pypi:NAME@VERSION, with `--file` and `--sha256`.",
  },
  "package/unavailable": {
    means: "The registry does not have this version of the package, or nothing of it that can be checked.",
    example: "pypi:thing 1.0.0 has no wheel in the registry",
    remedy: "Look at the versions that it has; choose one with a wheel (PyPI) or a sha512 (npm).",
  },
  "package/registry-answer": {
    means: "The registry answered with something that is no answer of a registry.",
    example: "https://registry.example/thing answered 500",
    remedy: "Check the address of the registry; try again later.",
  },
  "package/registry-unreachable": {
    means: "The registry cannot be reached.",
    example: "https://registry.example/thing cannot be reached: connection refused",
    remedy: "Check the network and the address of the registry.",
  },
  "package/unauthorised": {
    means: "The registry wants a name and a password or a token.",
    example: "https://registry.example/thing answered 401: the registry requires authentication",
    remedy: "Set them as npm or pip would read them; the hint says where.",
  },
  "package/settings": {
    means: "The settings of npm or pip name no usable registry, or a variable that is not set.",
    example: "npm's settings name no registry",
    remedy: "Set the registry as for npm or pip; the hint names the setting.",
  },
  "table/values": {
    means:
      "A row of numbers is too short, too long, or holds something that is not a whole number from 0 to 255.",
    example: "train.data, line 4: 15 numbers, expected 16",
    remedy: "Correct the line.",
  },
  "table/columns": {
    means: "A table lacks the column that was asked for, has it twice, or it has another type.",
    example: 'a.csv, line 2: there is no column "text", but "id", "body"',
    remedy: "Set `column` to one of the columns that the message lists.",
  },
  "table/files": {
    means: "There is no table where one is expected, or it is not of the kind that its name says.",
    example: "rows.parquet is not what its name says: expected parquet, and it begins as npy",
    remedy: "Give one .csv, .tsv, .parquet or .npy file; rename what has a wrong name.",
  },
  "images/files": {
    means: "There are no pictures where they were looked for.",
    example: "/data/pictures holds no pictures *.png *.jpg *.jpeg *.webp *.tif *.tiff *.gif",
    remedy: "Give a folder of pictures; hidden files do not count.",
  },
  "images/format": {
    means: "A file of images cannot be decoded or is of another format.",
    example: "this is not an IDX file: it does not begin with two zero bytes",
    remedy: "Check that the file is whole and unpacked, and choose the reader by its format.",
  },
  "images/sizes": {
    means: "Numbers, labels or sizes of images do not fit together.",
    example: "got 9 labels for 10 images",
    remedy:
      "Crop or resize images to one size; say height, width and channels where an array leaves them open.",
  },
  "images/levels": {
    means:
      "A number of a pixel lies outside the levels of its channel, or the levels themselves make no sense.",
    example: "image 3: a number of channel 0 is 300, but the channel has 256 levels",
    remedy: "Give each channel a number of levels from 2 to 65536, and pixels below it.",
  },
  "images/transform": {
    means: "A crop, resize, transform or grid of patches cannot be applied to these images.",
    example: "patches of 5x5 do not cover images of 28x28",
    remedy: "Choose sizes that divide or lie inside the images; transform colours last.",
  },
  "images/empty": {
    means: "There are no images where some are needed.",
    example: "there are no images to join",
    remedy: "Give at least one set with one image.",
  },
  "images/too-few": {
    means: "There are too few pictures to learn from, to choose by and to test on.",
    example:
      "there are 3 pictures (train: 3, valid: 0, test: 0): at least 20 are needed, and some in each split",
    remedy: "Give more pictures, or other `shares`.",
  },
};

import type { CodeEntry } from "./entry.ts";

/** Codes of the room `stages`. */
export type StageCode =
  | "inputs/mismatch"
  | "clusters/nothing-to-split"
  | "evaluation/impossible"
  | "evaluation/incomparable"
  | "images/selection"
  | "rows/too-few";

/** What they mean. */
export const stageCodes: Readonly<Record<StageCode, CodeEntry>> = {
  "inputs/mismatch": {
    means: "Inputs of a stage do not belong together: they differ in number, width or origin.",
    example: "100 labels for 90 windows of 8 positions",
    remedy:
      "Wire inputs that come from the same data: windows with their own vectors, labels with their own clusters.",
  },
  "clusters/nothing-to-split": {
    means: "Clusters cannot grow because each has a single patch.",
    example: "no cluster has two patches: there is nothing to split",
    remedy: "Ask for fewer clusters or give more images.",
  },
  "evaluation/impossible": {
    means: "Models give some samples probability 0, so that a mean log-likelihood would be -Infinity.",
    example: "every candidate gives some validation sample probability 0",
    remedy: "Train with pseudocounts.",
  },
  "evaluation/incomparable": {
    means: "Scores of different data or scales were to go into one table.",
    example: "hclt was measured on other images or colours than hmm",
    remedy: "Make a table for each crop, size and lossy transform.",
  },
  "images/selection": {
    means: "Images were asked for that the data set does not have.",
    example: "there are 100 images, none from 200 on",
    remedy: "Choose a range or a name that exists.",
  },
  "rows/too-few": {
    means: "A table has too few rows to learn from, to choose by and to test on.",
    example: "rows.csv has 1 row: at least 20 are needed",
    remedy: "Give more rows, or other `shares`.",
  },
};

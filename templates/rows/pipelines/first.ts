/**
 * Trees over the columns of your own table: a .csv, .tsv, .parquet or .npy file. Ends with log-likelihoods of rows that no model has
 * seen, the tree, how well each column is guessed from the others, drawn rows, and the table with its missing cells filled in.
 */
import { definePipeline } from "retort";
import { compareRowModels, rowHeadline, rowParams, tableAt, tableParams } from "retort/stages/rows";
import { z } from "zod";
import { bestKnown } from "../stages/mine.ts";

export default definePipeline({
  name: "first",
  question: "Do hidden trees say more of these rows than a tree over the columns alone?",
  headline: rowHeadline,
  params: z.object({
    /** The table. */
    rows: z.string().min(1).default("rows.csv"),
    // Types of columns, delimiters, shares of the splits.
    ...tableParams,
    // Numbers of hidden states, seeds, questions.
    ...rowParams,
  }),
  build({ params }) {
    const models = compareRowModels("the table", tableAt(params.rows, params), params);
    return { ...models, best: bestKnown({ scores: models.guesses }, { most: 3 }).best };
  },
});

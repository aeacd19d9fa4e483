/**
 * Learns the rows of your own table — CSV, parquet or npy; states, counts, numbers and dates, with missing cells — by hidden
 * trees, beside independent columns and a single Chow-Liu tree. The number of hidden states is chosen on validation rows.
 * Outputs log-likelihoods of test rows, the tree, how well each column is guessed from the others, rows drawn from the
 * model, the table with its missing cells filled in, and answers to your questions.
 *
 *     deno task run pipelines/rows.ts --set rows=FILE.csv
 *     deno task run pipelines/rows.ts --set rows=FILE.parquet --set 'types={"age":"count","id":"skip","*":"categorical"}'
 *     deno task run pipelines/rows.ts --set rows=FILE.csv --set 'ask=[{"age":30,"class":"first"}]'
 */
import { basename } from "node:path";
import { z } from "zod";
import { definePipeline } from "retort";
import { compareRowModels, rowHeadline, rowParams, tableAt, tableParams } from "retort/stages/rows";

export default definePipeline({
  name: "rows",
  question: "Do hidden trees say more of these rows than a tree over the columns alone?",
  headline: rowHeadline,
  params: z.object({
    /** Path of the table: a .csv, .tsv, .parquet or .npy file, packed by gzip or zstd or not. */
    rows: z.string({ error: "expected the path of a table: --set rows=FILE" }).min(1),
    ...tableParams,
    ...rowParams,
  }),
  build({ params }) {
    return compareRowModels(basename(params.rows), tableAt(params.rows, params), params);
  },
});

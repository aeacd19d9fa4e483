// Run by fetch_test.ts, to be killed in the middle of a download.
import { fetchDataSet } from "../../datasets/fetch.ts";

await fetchDataSet(JSON.parse(Deno.env.get("ENTRY")!), { folder: Deno.env.get("FOLDER")! });

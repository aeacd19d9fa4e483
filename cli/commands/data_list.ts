import { listDataSets } from "../../datasets/list.ts";
import { bytesText, print, printJson, table } from "../output.ts";
import { JSON_OUTPUT, VERBOSE } from "../options.ts";
import { defineCommand } from "../command.ts";

export default defineCommand({
  name: "data list",
  summary: "named data sets, their licences, and where they were found",
  permissions: [
    "--allow-read",
    "--allow-env=RETORT_DATA,RETORT_HOME,HOME,USERPROFILE,INIT_CWD,CI,TERM,NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE",
  ],
  declare: (command) =>
    command.addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(listData),
});

async function listData(options: { json?: true }): Promise<void> {
  const rows = await listDataSets();
  if (options.json) return printJson(rows);
  print(table(
    ["NAME", "SIZE", "DOWNLOAD", "LICENCE", "WHERE", "WHAT"],
    rows.map((row) => [
      row.name,
      row.bytes === undefined ? "–" : bytesText(row.bytes),
      row.downloadBytes === undefined
        ? "–"
        : `${bytesText(row.downloadBytes)}${row.verified ? "" : " (unverified)"}`,
      row.licence,
      row.status === "damaged" ? `damaged: ${row.where}` : row.where,
      row.title,
    ]),
  ));
}

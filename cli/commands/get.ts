import { getModel } from "../../runner/hub/get.ts";
import { hubOf, repositoryName } from "../../runner/hub/hub.ts";
import { defineCommand, HUB_PERMISSIONS } from "../command.ts";
import { exit } from "../exit.ts";
import { onInterrupt } from "../interrupt.ts";
import { JSON_OUTPUT, userPath, VERBOSE } from "../options.ts";
import { bytesText, note, print, printJson } from "../output.ts";

export default defineCommand({
  name: "get",
  summary: "get a model that was published on the Hugging Face Hub, checked; goes on where it stopped",
  permissions: HUB_PERMISSIONS,
  declare: (command) =>
    command.argument("<repository>", "OWNER/NAME on the Hub").argument("<dir>", "a new or empty folder")
      .option("--revision <name>", "a branch, a tag or a commit", "main")
      .addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(get),
});

async function get(
  repository: string,
  folder: string,
  options: { revision: string; json?: true },
): Promise<void> {
  const hub = hubOf((name) => Deno.env.get(name));
  const stop = new AbortController();
  onInterrupt(() => {
    note("stopping; the same command goes on from here");
    stop.abort();
  }, () => exit(130));
  const got = await getModel(repositoryName(repository), userPath(folder), hub, {
    revision: options.revision,
    signal: stop.signal,
  });
  if (options.json) return printJson(got);
  print(`${got.folder}: ${got.files} files, ${bytesText(got.bytes)}, commit ${got.commit.slice(0, 12)}`);
}

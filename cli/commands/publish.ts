import { hubOf, repositoryName } from "../../runner/hub/hub.ts";
import { publishModel } from "../../runner/hub/publish.ts";
import { resolveArtifact } from "../../runner/references.ts";
import { defineCommand, HUB_PERMISSIONS } from "../command.ts";
import { exit } from "../exit.ts";
import { onInterrupt } from "../interrupt.ts";
import { JSON_OUTPUT, STORE, VERBOSE } from "../options.ts";
import { bytesText, note, print, printJson } from "../output.ts";
import { openRecords } from "../records.ts";

export default defineCommand({
  name: "publish",
  summary: "publish a model with its card on the Hugging Face Hub; HF_TOKEN has the access token",
  permissions: HUB_PERMISSIONS,
  declare: (command) =>
    command.argument("<ref>", "a model, as for show")
      .requiredOption("--to <repository>", "OWNER/NAME on the Hub; made if it is not there")
      .option("--public", "for everybody to see, if the repository is new")
      .option("--license <id>", "the model's licence as the Hub names it: apache-2.0")
      .addOption(STORE).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(publish),
});

async function publish(
  reference: string,
  options: { to: string; public?: true; license?: string; store?: string; json?: true },
): Promise<void> {
  const hub = hubOf((name) => Deno.env.get(name));
  const repository = repositoryName(options.to);
  const { store, records } = openRecords(options.store);
  using _closed = records;
  const stop = new AbortController();
  onInterrupt(() => {
    note("stopping; nothing is published, and the next attempt uploads only what is missing");
    stop.abort();
  }, () => exit(130));
  const done = await publishModel(store, records, resolveArtifact(records, reference), repository, hub, {
    signal: stop.signal,
    ...(options.public === undefined ? {} : { public: true }),
    ...(options.license === undefined ? {} : { license: options.license }),
  });
  if (options.json) return printJson(done);
  print(`${done.url}: ${done.files} files, ${bytesText(done.bytes)}, commit ${done.commit.slice(0, 12)}`);
}

import { CallError } from "../../foundation/errors.ts";
import { acceptNodes, takeBack } from "../../runner/accept.ts";
import { defineCommand } from "../command.ts";
import { STAGE_RIGHTS } from "../../runner/execute/rights.ts";
import {
  ADAPTER,
  ENGINE,
  JSON_OUTPUT,
  pipelinePath,
  SEED,
  SET,
  STORE,
  storePath,
  VERBOSE,
} from "../options.ts";
import { clean, print, printJson } from "../output.ts";
import { openPipeline } from "../session.ts";
import type { EngineChoice } from "../../runner/stage.ts";

export default defineCommand({
  name: "accept",
  summary: "say that a change of code is harmless: results of the code before it stand for the code as it is",
  permissions: STAGE_RIGHTS,
  declare: (command) =>
    command.argument("<file>", "pipeline file").argument("<nodes...>", "names or patterns of nodes")
      .option("--message <text>", "why the change is harmless; recorded")
      .option("--by <name>", "who says so (default: git's user.name, else the user of this machine)")
      .option("--no-accept", "take it back: the nodes run again")
      .addOption(SET).addOption(SEED).addOption(ENGINE).addOption(ADAPTER).addOption(STORE).addOption(
        JSON_OUTPUT,
      )
      .addOption(VERBOSE)
      .action(accept),
});

interface AcceptOptions {
  message?: string;
  by?: string;
  accept: boolean;
  set: string[];
  seed: number;
  engine: EngineChoice;
  adapter?: string;
  store?: string;
  json?: true;
}

async function accept(file: string, nodes: string[], options: AcceptOptions): Promise<void> {
  const { set, seed, engine, adapter } = options;
  const why = options.message?.trim() ?? "";
  if (options.accept && why === "") {
    throw new CallError("command/options", "--message is missing: why is the change harmless?", {
      hint: 'It stands in the lineage of the results: --message "renamed a variable".',
    });
  }
  await using session = await openPipeline({
    ...{ file: pipelinePath(file), store: storePath(options.store), set, seed, engine },
    ...(adapter === undefined ? {} : { adapter }),
  }, STAGE_RIGHTS);
  if (!options.accept) {
    const undone = await takeBack(session, nodes);
    if (options.json) return printJson({ undone: undone.map((node) => node.name) });
    return undone.forEach((node) => print(clean(`${node.name}: taken back; it runs again`)));
  }
  const by = options.by ?? await userName();
  const accepted = await acceptNodes(session, nodes, { by, why });
  if (options.json) {
    return printJson(accepted.map(({ node, accepted }) => ({ node: node.name, ...accepted })));
  }
  for (const { node, accepted: { changes } } of accepted) {
    print(clean(`${node.name}: accepted by ${by}: ${changes.join("; ")}`));
  }
}

async function userName(): Promise<string> {
  try {
    const { stdout } = await new Deno.Command("git", { args: ["config", "user.name"], stderr: "null" })
      .output();
    const name = new TextDecoder().decode(stdout).trim();
    if (name !== "") return name;
  } catch {
    // There is no git.
  }
  return Deno.env.get("USER") || Deno.env.get("USERNAME") || "somebody";
}

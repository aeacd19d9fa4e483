import { Option } from "commander";
import { Store } from "../../runner/store/store.ts";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { JSON_OUTPUT, repeated, STORE, storePath, VERBOSE, wholeNumberFrom } from "../options.ts";
import { note, print, printJson } from "../output.ts";
import { defineCommand } from "../command.ts";

export default defineCommand({
  name: "dashboard",
  summary: "serve a live page of all runs, for this machine alone",
  permissions: ["--allow-read", "--allow-write", "--allow-run", "--allow-env", "--allow-net=127.0.0.1"],
  declare: (command) =>
    command.option(
      "--port <n>",
      "the port (default: the one of the last time, else 8710, else a free one)",
      wholeNumberFrom(1),
    ).addOption(
      new Option(
        "--public-host <name>",
        "a name that a tunnel or proxy has for it, NAME or NAME:PORT; may be repeated",
      ).argParser(repeated).default([] as string[], "none"),
    ).addOption(STORE).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(dashboard),
});

interface DashboardOptions {
  port?: number;
  publicHost: string[];
  store?: string;
  json?: true;
}

async function dashboard(options: DashboardOptions): Promise<void> {
  const store = Store.open(storePath(options.store));
  await using served = await serveDashboard(store, {
    publicHosts: options.publicHost,
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  if (options.json) printJson({ url: served.url, publicUrls: served.publicUrls });
  else {
    print([served.url, ...served.publicUrls].join("\n"));
    note("Only this machine reaches it, and only with the secret in the address. Ctrl-C ends it.");
  }
  const over = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", ...Deno.build.os === "windows" ? [] : ["SIGTERM" as const]] as const) {
    Deno.addSignalListener(signal, () => over.resolve());
  }
  await Promise.race([over.promise, served.finished]);
}

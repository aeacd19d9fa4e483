import { Store } from "../../runner/store/store.ts";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { storePath } from "../options.ts";
import { note, print, printJson } from "../output.ts";

/** Options of `dashboard`. */
export interface DashboardOptions {
  port?: number;
  publicHost: string[];
  store?: string;
  json?: true;
}

/** `deno task dashboard`. */
export async function dashboard(options: DashboardOptions): Promise<void> {
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

import { writeFileAtomic } from "../../foundation/atomic.ts";
import type { KeptValues } from "../context.ts";
import type { Store } from "./store.ts";

/** Values that engines keep in a store, in `engines.json`, which may be edited or deleted at any time. */
export function engineValues(store: Pick<Store, "root" | "tmp">): KeptValues {
  const path = `${store.root}/engines.json`;
  const load = (): Record<string, unknown> => {
    try {
      const values: unknown = JSON.parse(Deno.readTextFileSync(path));
      return typeof values === "object" && values !== null && !Array.isArray(values) ? { ...values } : {};
    } catch {
      // Missing or invalid: will be measured again.
      return {};
    }
  };
  return {
    load,
    save(name, value) {
      const text = JSON.stringify({ ...load(), [name]: value }, null, 2) + "\n";
      writeFileAtomic(store.tmp, path, new TextEncoder().encode(text));
    },
  };
}

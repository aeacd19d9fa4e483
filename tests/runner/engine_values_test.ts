import assert from "node:assert/strict";
import { engineValues } from "../../runner/store/engine_values.ts";
import { Store } from "../../runner/store/store.ts";
import { Folder } from "../command.ts";

Deno.test("what engines keep in a store outlives the run, name by name; a spoilt file counts as none", () => {
  using folder = new Folder();
  const store = Store.open(folder.store, { create: true });
  const values = engineValues(store);
  assert.deepEqual(values.load(), {});
  values.save("one", { a: 1 });
  values.save("two", [2]);
  values.save("one", { a: 3 });
  assert.deepEqual(engineValues(Store.open(folder.store)).load(), { one: { a: 3 }, two: [2] });
  for (const spoilt of ["{", "[1]", "null"]) {
    Deno.writeTextFileSync(`${folder.store}/engines.json`, spoilt);
    assert.deepEqual(values.load(), {});
  }
  values.save("two", 4);
  assert.deepEqual(values.load(), { two: 4 });
});

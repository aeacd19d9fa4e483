import assert from "node:assert/strict";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Rooms that a room may import besides itself, as docs/architecture.md says. */
const ALLOWED: Record<string, readonly string[]> = {
  "mod.ts": ["runner", "foundation"],
  pipelines: ["mod.ts", "stages"],
  stages: [
    "datasets",
    "teachers",
    "kernels",
    "circuits",
    "foundation",
    "runner/stage.ts",
    "runner/codec.ts",
    "runner/codecs",
  ],
  datasets: ["foundation"],
  teachers: ["foundation", "kernels", "circuits"],
  kernels: ["circuits", "foundation"],
  circuits: ["foundation"],
  cli: ["runner", "datasets", "foundation"],
  web: ["runner", "foundation"],
  runner: ["foundation"],
  foundation: [],
};

/** All modules of the rooms with what they import, types included. */
async function modules(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const files: string[] = [];
  const walk = (folder: string) => {
    for (const entry of Deno.readDirSync(folder)) {
      if (entry.isDirectory) walk(`${folder}/${entry.name}`);
      else if (entry.name.endsWith(".ts")) files.push(`${folder}/${entry.name}`);
    }
  };
  for (const room of Object.keys(ALLOWED)) {
    const path = `${ROOT}${room}`;
    try {
      if (Deno.statSync(path).isDirectory) walk(path);
      else files.push(path);
    } catch {
      // A room that is not built yet.
    }
  }
  for (const file of files) {
    const text = await Deno.readTextFile(file);
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map((match) =>
      match[1]!
    );
    found.set(
      relative(ROOT, file),
      specifiers.map((specifier) => relative(ROOT, `${dirname(file)}/${specifier}`)),
    );
  }
  return found;
}

Deno.test("imports run downward only", async () => {
  const faults: string[] = [];
  const all = await modules();
  assert.ok(all.size > 50, "the test sees the project's modules");
  for (const [file, imports] of all) {
    const room = file.split("/")[0]!;
    for (const target of imports) {
      const allowed = [room, ...ALLOWED[room]!];
      if (!allowed.some((place) => target === place || target.startsWith(`${place}/`))) {
        faults.push(
          `${file} imports ${target}; ${room} may import ${ALLOWED[room]!.join(", ") || "nothing"}`,
        );
      }
    }
  }
  assert.deepEqual(faults, []);
});

Deno.test("no file is longer than 500 lines", () => {
  const long: string[] = [];
  for (const room of Object.keys(ALLOWED)) {
    const visit = (path: string) => {
      let stat: Deno.FileInfo;
      try {
        stat = Deno.statSync(path);
      } catch {
        return;
      }
      if (stat.isDirectory) { for (const entry of Deno.readDirSync(path)) visit(`${path}/${entry.name}`); }
      else if (path.endsWith(".ts") && Deno.readTextFileSync(path).split("\n").length > 500) long.push(path);
    };
    visit(`${ROOT}${room}`);
  }
  assert.deepEqual(long, []);
});

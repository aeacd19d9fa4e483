import assert from "node:assert/strict";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Rooms that each room may import besides itself: the table in docs/architecture.md. */
const ALLOWED: Record<string, readonly string[]> = Object.fromEntries(
  Deno.readTextFileSync(`${ROOT}docs/architecture.md`).split("\n## The house\n")[1]!.split("\n## ")[0]!
    .split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [rooms, , imports] = line.split(" | ");
      return { rooms: quoted(rooms!), imports: imports! };
    })
    .filter(({ imports }) => !imports.startsWith("everything"))
    .flatMap(({ rooms, imports }) => rooms.map((room) => [room, quoted(imports)])),
);

/** What stands between backticks, without a slash at its end. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+?)\/?`/g)].map((match) => match[1]!);
}

/** All modules of the rooms with what they import, types included. */
async function modules(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const files: string[] = [];
  const walk = (folder: string) => {
    for (const entry of Deno.readDirSync(folder)) {
      if (entry.isDirectory) walk(`${folder}/${entry.name}`);
      else if (/\.tsx?$/.test(entry.name)) files.push(`${folder}/${entry.name}`);
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

Deno.test("every folder with modules is a room of docs/architecture.md", () => {
  const free = ["tests", "bench", ...Object.keys(ALLOWED)];
  const strangers = [...Deno.readDirSync(ROOT)].map((entry) => entry.name).filter((name) =>
    !name.startsWith(".") && !free.includes(name) && hasModules(`${ROOT}${name}`)
  );
  assert.deepEqual(strangers, []);
});

function hasModules(path: string): boolean {
  if (!Deno.statSync(path).isDirectory) return /\.tsx?$/.test(path);
  return [...Deno.readDirSync(path)].some((entry) => hasModules(`${path}/${entry.name}`));
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
      else if (/\.tsx?$/.test(path) && Deno.readTextFileSync(path).split("\n").length > 500) long.push(path);
    };
    visit(`${ROOT}${room}`);
  }
  assert.deepEqual(long, []);
});

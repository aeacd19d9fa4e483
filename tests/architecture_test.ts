import assert from "node:assert/strict";
import { circlesIn, definedIn, type Import, importsOf, sourcesIn } from "./architecture/modules.ts";
import { ROOT } from "./command.ts";

/** Rooms that each room may import besides itself: the table in docs/architecture.md. */
const ALLOWED: Record<string, readonly string[]> = Object.fromEntries(
  Deno.readTextFileSync(`${ROOT}/docs/architecture.md`).split("\n## The house\n")[1]!.split("\n## ")[0]!
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

const PLACES = [...Object.keys(ALLOWED), "tests", "bench"];
const TEXTS = new Map(
  PLACES.flatMap((place) => sourcesIn(place)).map((file) => [file, Deno.readTextFileSync(`${ROOT}/${file}`)]),
);
const IMPORTS = [...TEXTS].flatMap(([file, text]) => importsOf(file, text));

Deno.test("the tests see the project's modules and what they import", () => {
  assert.ok(TEXTS.size > 500, `${TEXTS.size} modules`);
  const kinds = (text: string) => importsOf("a/b.ts", text).map(({ to, kind }) => `${to} ${kind}`);
  assert.deepEqual(
    kinds(
      `import { a, type B } from "./c.ts";\nimport {\n  type D,\n  type E,\n} from "../d.ts";\n` +
        `export type { F } from "./f.ts";\nexport * from "./g.ts";\nimport type { H } from "./h.ts";\n` +
        `import "./i.ts";\nconst j = await import("./j.ts");\nconst k = "from";\nimport l from "npm:l";\n` +
        `/** import { m } from "./m.ts"; */\ntype N = typeof import("./n.ts");\n`,
    ),
    ["a/c.ts value", "d.ts type", "a/f.ts type", "a/g.ts value", "a/h.ts type", "a/i.ts value"]
      .concat("a/j.ts lazy", "a/n.ts type"),
  );
  const missing = IMPORTS.filter(({ from, to }) => ALLOWED[from.split("/")[0]!] !== undefined && !exists(to));
  assert.deepEqual(missing, []);
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(`${ROOT}/${path}`).isFile;
  } catch {
    return false;
  }
}

Deno.test("every folder with modules is a room of docs/architecture.md", () => {
  const strangers = [...Deno.readDirSync(ROOT)].map((entry) => entry.name).filter((name) =>
    !name.startsWith(".") && name !== "node_modules" && !PLACES.includes(name) && sourcesIn(name).length > 0
  );
  assert.deepEqual(strangers, []);
});

Deno.test("imports run downward only", () => {
  const faults: string[] = [];
  for (const { from, to } of IMPORTS) {
    const room = from.split("/")[0]!;
    if (ALLOWED[room] === undefined) continue;
    if (![room, ...ALLOWED[room]].some((place) => to === place || to.startsWith(`${place}/`))) {
      faults.push(`${from} imports ${to}; ${room} may import ${ALLOWED[room].join(", ") || "nothing"}`);
    }
  }
  assert.deepEqual(faults, []);
});

/** What a circle is made of, for people: its modules and the imports between them. */
function circleText(circle: readonly string[], imports: readonly Import[]): string {
  const inside = imports.filter(({ from, to }) => circle.includes(from) && circle.includes(to));
  return inside.map(({ from, to, kind }) => `${from} imports ${to} (${kind})`).join("\n");
}

Deno.test("no module is evaluated before one that it imports: values have no circles", () => {
  const values = IMPORTS.filter(({ kind }) => kind === "value");
  assert.deepEqual(circlesIn([{ from: "a", to: "b" }, { from: "b", to: "c" }, { from: "c", to: "a" }]), [
    ["a", "b", "c"],
  ]);
  const circles = circlesIn(values).map((circle) => circleText(circle, values));
  assert.deepEqual(circles, []);
});

Deno.test("what a module needs of another one it imports by name: code that is not named does not count in keys", () => {
  const bare = [...TEXTS].filter(([file]) => ALLOWED[file.split("/")[0]!] !== undefined)
    .filter(([, text]) => /^import "\./m.test(text)).map(([file]) => file);
  assert.deepEqual(bare, []);
});

Deno.test("imports have no circles, those of types included", () => {
  const circles = circlesIn(IMPORTS).map((circle) => circleText(circle, IMPORTS));
  assert.deepEqual(circles, []);
});

Deno.test("no file is longer than 400 lines", () => {
  const sources = PLACES.flatMap((place) => sourcesIn(place, /\.(tsx?|js|css|wgsl|py|sh)$/));
  const long = sources.filter((file) =>
    Deno.readTextFileSync(`${ROOT}/${file}`).split("\n").length - 1 > 400
  );
  assert.deepEqual(long, [], "part these where their jobs part");
});

Deno.test("no exported name is defined in two files", () => {
  assert.deepEqual(
    definedIn(
      `import { a } from "./a.ts";\nexport { a };\nexport { b } from "./b.ts";\nconst c = 1;\nexport { c };\n` +
        `export const d = 1;\nexport const { e, f: g } = c;\nexport abstract class H {}\nexport type I = 1;\n` +
        `export async function* j() {}\nexport function j(): void;\nfunction k() {}\n`,
    ).toSorted(),
    ["H", "I", "c", "d", "e", "g", "j"],
  );
  const places = new Map<string, string[]>();
  for (const [file, text] of TEXTS) {
    for (const name of definedIn(text)) places.set(name, [...places.get(name) ?? [], file]);
  }
  const faults = [...places].filter(([, files]) => files.length > 1)
    .map(([name, files]) => `${name}: ${files.join(", ")}`);
  assert.deepEqual(faults, [], "one word for one thing: give one of them another name, or share it");
});

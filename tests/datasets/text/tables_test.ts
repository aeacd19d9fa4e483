import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { documentsOf, type TextFormat } from "../../../datasets/text/documents.ts";
import { parquetColumns } from "../../../datasets/text/tables/parquet.ts";
import { holds } from "../../property.ts";

const FIXTURES = new URL("../../fixtures/tables/", import.meta.url).pathname;

async function textsOf(
  path: string,
  name: string,
  column?: string,
  format: TextFormat = "file",
): Promise<string[]> {
  const found: string[] = [];
  for await (const document of documentsOf(path, format, { name, ...(column !== undefined && { column }) })) {
    let text = "";
    for await (const piece of document.text()) text += piece;
    found.push(text);
  }
  return found;
}

/** The documents of a file of that name and content. */
async function read(name: string, content: string | Uint8Array, column?: string, format?: TextFormat) {
  const path = await Deno.makeTempFile({ prefix: "retort-table-" });
  try {
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    return await textsOf(path, name, column, format);
  } finally {
    await Deno.remove(path);
  }
}

const csv = 'id,text,"a ""b"""\n1,"One, two\nthree ""four""",x\n\n2,,y\n3,five,z\n';
const json =
  '{"id":1,"text":"One, two\\nthree \\"four\\""}\n\n{"text":null}\n{"text":" \\n"}\n{"id":3,"text":"five"}';
const wanted = ['One, two\nthree "four"', "five"];

Deno.test("rows of tables are documents, packed or not, in UTF-8 or UTF-16, with any line ends", async () => {
  const packed = (text: string) => {
    const utf8 = new TextEncoder().encode(text), marked = new TextEncoder().encode(`\ufeff${text}`);
    const utf16 = new Uint8Array(Uint16Array.from(`\ufeff${text}`, (c) => c.charCodeAt(0)).buffer);
    const swapped = utf16.map((_, i) => utf16[i ^ 1]!);
    return [utf8, marked, utf16, swapped, gzipSync(utf8), zstdCompressSync(utf8), gzipSync(utf16)];
  };
  for (const bytes of packed(csv)) assert.deepEqual(await read("a.csv", bytes, "text"), wanted);
  for (const bytes of packed(json)) assert.deepEqual(await read("a.jsonl", bytes, "text"), wanted);
  for (const name of ["a.jsonl.gz", "b.NDJSON", "c.json", "d.json.zst", "e", "f.data"]) {
    assert.deepEqual(await read(name, json, "text"), wanted, name);
  }
  assert.deepEqual(await read("a.csv", csv.replaceAll("\n", "\r\n"), "text"), [
    'One, two\r\nthree "four"',
    "five",
  ]);
  for (const delimiter of [";", "\t", "|"]) {
    const other = `a${delimiter}"text"${delimiter}c\n1${delimiter}"x, y${delimiter}z"${delimiter}3\n`;
    assert.deepEqual(await read("a.tsv", other, "text"), [`x, y${delimiter}z`]);
  }
  // Whatever the format says: in a table rows are documents. A table of one column needs no comma.
  assert.deepEqual(await read("a.csv", csv, "text", "lines"), wanted);
  assert.deepEqual(await read("a.csv", "text\none\ntwo", "text"), ["one", "two"]);
  assert.deepEqual(await read("a.csv", "", "text"), []);
  assert.deepEqual(await read("a.jsonl", "\n\n", "text"), []);
});

Deno.test("what any cells hold comes back from CSV and from JSON lines", async (test) => {
  const cell = fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed() && !text.includes("\0"));
  await holds(
    test,
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), async (rows) => {
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const texts = rows.map(([, text]) => text).filter((text) => text.trim() !== "");
      const lines = ["other,text", ...rows.map((row) => row.map(quoted).join(","))];
      assert.deepEqual(await read("a.csv", lines.join("\n"), "text"), texts);
      const objects = rows.map(([other, text]) => JSON.stringify({ other, text }));
      assert.deepEqual(await read("a.jsonl", objects.join("\n"), "text"), texts);
    }),
    { numRuns: 60 },
  );
});

Deno.test("parquet files of another program, in every codec, whatever they are called", async () => {
  const texts = Array.from({ length: 50 }, (_, i) => `Text ${i}: Zwölf Boxkämpfer 東京 ${"x".repeat(i % 7)}`)
    .filter((_, i) => i !== 3 && i !== 5);
  for (const codec of ["none", "snappy", "gzip", "zstd", "brotli", "plain-v2"]) {
    assert.deepEqual(await textsOf(`${FIXTURES}${codec}.parquet`, "x.parquet", "text"), texts, codec);
  }
  const bytes = await Deno.readFile(`${FIXTURES}snappy.parquet`);
  assert.deepEqual(await read("anything", bytes, "text"), texts);
  assert.deepEqual(await read("x.parquet.gz", gzipSync(bytes), "text"), texts);
  assert.deepEqual(await read("x.parquet.zst", zstdCompressSync(bytes), "text"), texts);
  assert.deepEqual(await textsOf(`${FIXTURES}bytes.parquet`, "x.parquet", "bytes"), ["Zwölf"]);
  const refused: [string, () => Promise<unknown>, RegExp][] = [
    ["codec", () => textsOf(`${FIXTURES}lz4.parquet`, "x.parquet", "text"), /x\.parquet: .*LZ4/],
    [
      "bytes",
      () => textsOf(`${FIXTURES}bytes.parquet`, "x.parquet", "wrong"),
      /x\.parquet: it cannot be read as parquet/,
    ],
    [
      "cut short",
      () => read("x.parquet", bytes.subarray(0, 900), "text"),
      /x\.parquet: it cannot be read as parquet/,
    ],
    [
      "another",
      () => read("x.parquet", "no parquet at all", "text"),
      /x\.parquet: it cannot be read as parquet/,
    ],
    [
      "missing",
      () => textsOf(`${FIXTURES}zstd.parquet`, "x.parquet", "texts"),
      /no column "texts", but "text", "label", "tags"/,
    ],
    [
      "number",
      () => textsOf(`${FIXTURES}zstd.parquet`, "x.parquet", "label"),
      /row 1: column "label" holds a bigint/,
    ],
    [
      "list",
      () => textsOf(`${FIXTURES}zstd.parquet`, "x.parquet", "tags"),
      /row 1: column "tags" holds a list/,
    ],
    [
      "no column",
      () => textsOf(`${FIXTURES}zstd.parquet`, "x.parquet"),
      /table \(parquet\): which column .* "text", "label"/,
    ],
  ];
  for (const [what, reading, message] of refused) await assert.rejects(reading(), message, what);
});

Deno.test("columns of a parquet file come as texts, null where a value is missing", async () => {
  const columns = await parquetColumns(`${FIXTURES}mixed.parquet`, "m.parquet", new Set(["tags"]));
  const cells = Object.fromEntries(columns.map(({ name, cells }) => [name, cells.slice(0, 4)]));
  assert.deepEqual(cells, {
    sure: [null, "false", "false", "true"],
    code: ["0", "1", "2", "3"],
    count: ["0", "1", "2", "3"],
    size: ["0", "0.125", null, "0.375"],
    day: ["2019-04-14", "2019-04-15", "2019-04-16", "2019-04-17"],
    at: [
      "2020-09-13T12:26:40.000Z",
      "2020-09-13T13:26:40.000Z",
      "2020-09-13T14:26:40.000Z",
      "2020-09-13T15:26:40.000Z",
    ],
    tags: [null, null, null, null],
  });
  assert.ok(columns.every(({ cells }) => cells.length === 40));
  assert.deepEqual(columns.filter(({ words }) => words).map(({ name }) => name), ["code"]);
  await assert.rejects(
    parquetColumns(`${FIXTURES}mixed.parquet`, "m.parquet"),
    /m\.parquet, row 1, column "tags" holds a list, expected one value/,
  );
});

Deno.test("tables without a column, columns without a table, and rows that are none are refused by name and place", async () => {
  const refused: [name: string, content: string, column: string | undefined, RegExp][] = [
    [
      "a.csv",
      csv,
      undefined,
      /a\.csv: it is a table \(CSV\): which column is the text\? There are "id", "text", "a \\"b\\""/,
    ],
    ["a.jsonl", json, undefined, /a\.jsonl: it is a table \(JSON lines\): .* "id", "text"/],
    ["corpus", json, undefined, /corpus: it is a table \(JSON lines\)/],
    ["a.csv", csv, "texts", /a\.csv, line 3: there is no column "texts", but "id", "text"/],
    ["a.jsonl", json, "id", /a\.jsonl, line 1: column "id" holds a number/],
    [
      "a.jsonl",
      '{"text":"x"}\n{"other":1}',
      "text",
      /a\.jsonl, line 2: there is no column "text", but "other"/,
    ],
    ["a.jsonl", '{"text":"x"}\n{"text":', "text", /a\.jsonl, line 2: it is not a JSON object/],
    [
      "a.jsonl",
      '{"text":"\\ud83d\\ude00"}\n{"text":"x \\ud83d y"}',
      "text",
      /a\.jsonl, line 2: .*half a character/,
    ],
    ["a.json", '[\n{"text":"x"}\n]', "text", /a\.json, line 1: /],
    ["a.json", '[{"text":"x"}]', "text", /a\.json, line 1: it is an array/],
    ["a.json", '{\n"text":"x"\n}', "text", /a\.json, line 1: it is not a JSON object/],
    ["a.csv", 'text,b\n"open,1\n', "text", /a\.csv.*: it is not valid CSV/],
    ["a.csv", "text,b\n1,2,3\n", "text", /a\.csv, line 2: it is not valid CSV/],
    ["a.csv", "text,text\n1,2\n", "text", /two columns are called "text"/],
    ["notes.txt", "text,b\n1,2\n", "text", /notes\.txt: it is not a table and has no column "text"/],
  ];
  for (const [name, content, column, message] of refused) {
    await assert.rejects(read(name, content, column), message, `${name} ${column}`);
  }
  // What is called a text is one.
  assert.deepEqual(await read("a.txt", json), [json]);
  const line = "no line end ".repeat(50_000);
  assert.deepEqual(await read("one line", line), [line]);
  assert.deepEqual(await read("braces", "{ this is no JSON }\n"), ["{ this is no JSON }\n"]);
});

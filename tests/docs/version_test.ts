import assert from "node:assert/strict";
import { VERSION } from "../../foundation/own_package.ts";
import { ROOT } from "../command.ts";

const CHANGELOG = Deno.readTextFileSync(`${ROOT}/CHANGELOG.md`);

const ALL = [...CHANGELOG.matchAll(/^## (.*)$/gm)].map((match) => match[1]!);

/** What is not released yet stands above all versions, if anywhere. */
const HEADINGS = ALL[0] === "Unreleased" ? ALL.slice(1) : ALL;

Deno.test("deno.json, the program and the top of the changelog have one version", () => {
  const { version } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`));
  assert.equal(HEADINGS[0]!.split(" - ")[0], version);
  assert.equal(VERSION, version);
});

Deno.test("versions of the changelog have dates and fall", () => {
  const versions = HEADINGS.map((heading) => {
    const [, major, minor, patch, date] = /^(\d+)\.(\d+)\.(\d+) - (\d{4}-\d\d-\d\d)$/.exec(heading) ?? [];
    assert.ok(date !== undefined && !Number.isNaN(Date.parse(date)), `"${heading}" is VERSION - DATE`);
    return { order: [major, minor, patch].map(Number), date };
  });
  assert.ok(versions.length >= 2);
  for (const [i, { order, date }] of versions.entries()) {
    if (i === 0) continue;
    const later = versions[i - 1]!;
    const first = order.findIndex((number, k) => number !== later.order[k]);
    assert.ok(
      first >= 0 && later.order[first]! > order[first]!,
      `${HEADINGS[i - 1]} comes after ${HEADINGS[i]}`,
    );
    assert.ok(later.date >= date, `${HEADINGS[i - 1]} is no earlier than ${HEADINGS[i]}`);
  }
});

Deno.test("a version has one list of each kind, and the changelog says nothing twice", () => {
  for (const section of CHANGELOG.split(/^## /m).slice(1)) {
    const lists = [...section.matchAll(/^### (.*)$/gm)].map((match) => match[1]!);
    assert.deepEqual(lists, [...new Set(lists)], section.split("\n", 1)[0]);
  }
  const entries = CHANGELOG.split(/^(?=- |#)/m).filter((entry) => entry.startsWith("- ")).map((entry) =>
    entry.trim()
  );
  assert.deepEqual(entries, [...new Set(entries)]);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Page } from "playwright-core";
import { centredOn, fitted, moved, opened, zoomed } from "../../web/dashboard/page/viewport.ts";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { boxesOf } from "../../web/view/graph_boxes.ts";
import type { NodeView } from "../../web/view/run.ts";
import { holds } from "../property.ts";
import { assertUsable, IN_BROWSER, launch, open } from "./browser.ts";
import { WrittenStore } from "./records.ts";
import { until } from "./serving.ts";

/** A node that reads others. */
function reading(name: string, ...inputs: string[]): NodeView {
  return {
    name,
    stage: name[0]!,
    inputs: inputs.map((node) => ({ name: node, node, output: "o" })),
  } as unknown as NodeView;
}

Deno.test("chains are nodes without a branch between them", () => {
  const names = (nodes: NodeView[], kind: "chains" | "stages") =>
    boxesOf(nodes, kind).map((box) => box.map((node) => node.name).join(" "));
  const line = [reading("a"), reading("b", "a"), reading("c", "b", "b")];
  assert.deepEqual(names(line, "chains"), ["a b c"]);
  const branch = [
    reading("a"),
    reading("b", "a"),
    reading("c", "a"),
    reading("d", "b"),
    reading("e", "d", "c"),
  ];
  assert.deepEqual(names(branch, "chains"), ["a", "b d", "c", "e"]);
  assert.deepEqual(names([reading("b1"), reading("a", "gone"), reading("b2", "a")], "chains"), [
    "b1",
    "a b2",
  ]);
  assert.deepEqual(names(branch.concat(reading("b2")), "stages"), ["a", "b b2", "c", "d", "e"]);
});

const size = fc.record({
  width: fc.integer({ min: 20, max: 9000 }),
  height: fc.integer({ min: 20, max: 3000 }),
});
const window = fc.record({
  width: fc.integer({ min: 100, max: 2000 }),
  height: fc.integer({ min: 80, max: 900 }),
});

Deno.test("what fits shows all of a drawing; zooming keeps what is under the pointer; nothing is lost by moving", (test) => {
  const share = fc.record({
    x: fc.double({ min: 0, max: 1, noNaN: true }),
    y: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  holds(
    test,
    fc.property(
      size,
      window,
      share,
      fc.double({ min: 0.3, max: 3, noNaN: true }),
      (drawing, seen, at, factor) => {
        const heightOf = (width: number) => width * seen.height / seen.width;
        const close = (a: number, b: number) =>
          assert.ok(Math.abs(a - b) < 1e-6 * (1 + Math.abs(a)), `${a} is not ${b}`);
        const whole = fitted(drawing, seen);
        assert.ok(whole.x <= 1e-9 && whole.y <= 1e-9);
        assert.ok(whole.x + whole.width >= drawing.width - 1e-6);
        assert.ok(whole.y + heightOf(whole.width) >= drawing.height - 1e-6);
        const first = opened(drawing, seen, { x: at.x * drawing.width, y: at.y * drawing.height });
        assert.ok(seen.width / first.width >= 0.75 - 1e-9, "it can be read");
        assert.ok(
          first.x <= at.x * drawing.width + 1e-6 && at.x * drawing.width <= first.x + first.width + 1e-6,
        );
        const near = zoomed(first, factor, drawing, seen, at);
        close(near.x + at.x * near.width, first.x + at.x * first.width);
        close(near.y + at.y * heightOf(near.width), first.y + at.y * heightOf(first.width));
        const away = moved(first, 50 * factor, -50 * factor, drawing, seen);
        assert.ok(away.x < drawing.width && away.x + away.width > 0);
        assert.ok(away.y < drawing.height && away.y + heightOf(away.width) > 0);
        const middle = centredOn(near, drawing, seen, { x: drawing.width / 2, y: drawing.height / 2 });
        close(middle.x + middle.width / 2, drawing.width / 2);
      },
    ),
  );
});

/** How many boxes lie wholly in the window. */
async function seen(page: Page): Promise<number> {
  return await page.evaluate(`(() => {
    const outer = document.querySelector(".viewport").getBoundingClientRect();
    return [...document.querySelectorAll(".viewport g.node")].filter((node) => {
      const box = node.getBoundingClientRect();
      return box.left >= outer.left - 1 && box.right <= outer.right + 1 && box.top >= outer.top - 1 &&
        box.bottom <= outer.bottom + 1;
    }).length;
  })()`);
}

Deno.test({
  name: "a long graph fits, zooms, moves, is searched and folded, by keys, pointer and on a phone",
  ...IN_BROWSER,
  async fn() {
    using written = new WrittenStore();
    written.addRun("long");
    written.records.transaction(() => {
      // Two arms of 30 nodes each, which meet at their end.
      for (const arm of ["left", "right"]) {
        for (let i = 0; i < 30; i++) {
          const [name, source] = [`${arm}-${i}`, i === 0 ? "data" : `${arm}-${i - 1}`];
          if (i === 0 && arm === "left") written.addNode("long", "data");
          written.addNode("long", name, {
            stage: `step-${i}`,
            state: name === "right-20" ? "failed" : "ran",
          });
          written.records.addEdges("long", [{ node: name, input: "in", source, output: "out" }]);
        }
      }
    });
    const dashboard = await serveDashboard(written.store);
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, `${dashboard.url}#/run/long`);
      const region = page.locator(".graph.viewport");
      await region.locator("svg").waitFor();
      assert.equal(await page.locator(".viewport g.node").count(), 31, "a box a stage at first");
      await page.getByLabel("Drawn").selectOption("nodes");
      await until("every node", async () => await page.locator(".viewport g.node").count() === 61);
      const failed = async () => await page.locator(".viewport .state-failed").boundingBox();
      const outer = (await region.boundingBox())!;
      const box = (await failed())!;
      assert.ok(
        box.x >= outer.x && box.x + box.width <= outer.x + outer.width,
        "what failed is seen at first",
      );
      assert.ok(await seen(page) < 61);
      await page.getByRole("button", { name: "Fit" }).press("Enter");
      assert.equal(await seen(page), 61);

      const view = async () => (await region.locator("svg").getAttribute("viewBox"))!.split(" ").map(Number);
      const before = await view();
      await region.focus();
      for (const key of ["+", "+", "ArrowRight"]) await page.keyboard.press(key);
      const near = await view();
      assert.ok(near[2]! < before[2]! / 1.9 && near[0]! > before[0]!);
      await page.mouse.move(outer.x + 300, outer.y + 200);
      await page.mouse.down();
      await page.mouse.move(outer.x + 200, outer.y + 200, { steps: 5 });
      await page.mouse.up();
      assert.ok((await view())[0]! > near[0]!, "dragged to the left, more of the right is seen");
      assert.match(page.url(), /#\/run\/long$/, "a drag is no click");

      await page.getByLabel("Find").fill("left-7");
      await until("found", async () => /1 of 1/.test(await page.innerText("main")));
      const found = (await page.locator(".viewport .current").boundingBox())!;
      assert.ok(found.x >= outer.x && found.x + found.width <= outer.x + outer.width);
      await page.getByLabel("Find").fill("left-");
      await page.getByRole("button", { name: "Next" }).press("Enter");
      await until("the second", async () => /2 of 30/.test(await page.innerText("main")));
      await page.getByLabel("Find").fill("");

      await page.getByLabel("Drawn").selectOption("chains");
      await until("three boxes", async () => await page.locator(".viewport g.node").count() === 3);
      assert.equal(await page.locator(".viewport .state-failed").count(), 1, "a chain is as its worst node");
      assert.equal(await seen(page), 3);
      // The keyboard reaches boxes, and what it reaches is seen.
      await page.getByLabel("Drawn").selectOption("nodes");
      await until("every node again", async () => await page.locator(".viewport g.node").count() === 61);
      await page.locator(".viewport a").last().focus();
      const last = (await page.locator(".viewport g.node").last().boundingBox())!;
      assert.ok(last.x >= outer.x - 1 && last.x + last.width <= outer.x + outer.width + 1);
      await page.keyboard.press("Enter");
      await until("its page", () => /node\/right-29$/.test(page.url()));
      await page.goto(`${dashboard.url}#/run/long`);
      await region.locator("svg").waitFor();
      await assertUsable(page);

      const phone = await open(browser, `${dashboard.url}#/run/long`, { width: 360 });
      await phone.page.locator(".viewport svg").waitFor();
      assert.ok(await seen(phone.page) >= 2, "something is seen on a phone");
      await phone.page.getByRole("button", { name: "Fit" }).press("Enter");
      assert.equal(await seen(phone.page), 31);
      assert.deepEqual([...complaints, ...phone.complaints], []);
    } finally {
      await browser.close();
      await dashboard[Symbol.asyncDispose]();
    }
  },
});

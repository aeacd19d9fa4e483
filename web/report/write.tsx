import { createHash } from "node:crypto";
import { parseHTML } from "linkedom";
import { renderToString } from "preact-render-to-string";
import { showMarks } from "../parts/marks.ts";
import { dataUrl } from "../view/preview.ts";
import { fontRules, pageFonts, stylesheet } from "../stylesheet.ts";
import { iconUrl } from "../view/wordmark.ts";
import { type PagePlace, PlaceContext } from "../parts/place.tsx";
import { artifactId, nodeId, type ReportModel } from "./model.ts";
import { ReportPage } from "./page.tsx";

/**
 * A report as one self-contained HTML file: styles, script, drawings and pictures are inside, and its content security
 * policy allows nothing else.
 */
export async function writeReport(model: ReportModel): Promise<string> {
  showMarks();
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const byName = new Map(model.view.nodes.map((node) => [node.name, node]));
  const digests = new Set(model.view.nodes.flatMap((node) => node.outputs.map((one) => one.digest)));
  const place: PagePlace = {
    document: document as unknown as Document,
    node: (name) => byName.has(name) ? `#${nodeId(byName.get(name)!)}` : undefined,
    artifact: (digest) => digests.has(digest) ? `#${artifactId(digest)}` : undefined,
    run: () => undefined,
    time: (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`,
  };
  const fonts = fontRules(await pageFonts(), ({ bytes }) => dataUrl("font/woff2", bytes));
  const style = fonts + await stylesheet();
  const script = await read("./page_script.js");
  const sha = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = `default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src ${
    sha(script)
  }`;
  const body = renderToString(
    <PlaceContext.Provider value={place}>
      <ReportPage model={model} />
    </PlaceContext.Provider>,
  );
  const title = renderToString(<title>{`${model.view.run.pipeline}, run ${model.view.run.id}`}</title>);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
${title}
<link rel="icon" href="${iconUrl()}">
<style>${style}</style>
</head>
<body>${body}
<script type="module">${script}</script>
</body>
</html>
`;
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, import.meta.url));
}

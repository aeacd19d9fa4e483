import type { OfferedModel } from "./page/protocol.ts";

/**
 * What the page may do: run its own scripts and WebAssembly, ask its own host for its own files, and nothing else. Nothing is
 * sent anywhere, and nothing can be put into it from elsewhere.
 */
export const PLAYGROUND_POLICY: string = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' blob:",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * The page. All of its addresses are relative, so that it works at any place.
 *
 * @param scripts that the page's script imports at once, asked for beside it.
 */
export function playgroundHtml(models: readonly OfferedModel[], scripts: readonly string[]): string {
  // In a script element only `<` could end it.
  const data = JSON.stringify(models).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${PLAYGROUND_POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="description" content="A probabilistic circuit that answers in your browser: blanks filled in exactly, from both sides.">
<title>Playground · Retort</title>
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/style.css">
${
    scripts.map((name) => `<link rel="modulepreload" href="assets/${name}">\n`).join("")
  }<script src="assets/first.js"></script>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<div id="root"><p class="page" role="status">loading …</p></div>
<noscript><p class="page">The playground computes in your browser and needs JavaScript for it.</p></noscript>
<script type="application/json" id="models">${data}</script>
<script type="module" src="assets/main.js"></script>
</body>
</html>
`;
}

import { renderToString } from "preact-render-to-string";
import { Wordmark } from "../web/parts/wordmark.tsx";
import type { PageSection } from "./markdown.ts";

/** A page as the navigation knows it. */
export interface Listed {
  readonly path: string;
  readonly title: string;
  readonly part: string;
}

/** What a page of the site shows. */
export interface Page extends Listed {
  /** The content of `main`. */
  readonly html: string;
  readonly sections: readonly PageSection[];
  /** Path of the page that stands for this one in the navigation, if it is not there itself. */
  readonly under?: string;
}

/**
 * A page as an HTML file. All of its addresses are relative, so the site works at any place, from a disk too; its content
 * security policy allows nothing but the site's own files.
 */
export function pageHtml(page: Page, listed: readonly Listed[]): string {
  const up = "../".repeat(page.path.split("/").length - 1);
  const at = listed.findIndex(({ path }) => path === page.path);
  const body = renderToString(
    <>
      <a class="skip" href="#main">To the content</a>
      <header class="masthead">
        <Wordmark to={`${up}index.html`} />
        <div class="search" role="search" hidden>
          <label class="hidden" for="query">Search the documentation</label>
          <input
            id="query"
            type="search"
            placeholder="Search"
            autocomplete="off"
            data-up={up}
            aria-controls="found"
          />
          <div id="found" role="region" aria-label="Search results" hidden></div>
          <p class="hidden" role="status" id="found-count"></p>
        </div>
        <label class="scale">
          Theme{" "}
          <select id="theme">
            <option value="">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
      </header>
      <div class="columns">
        <details class="pages" open>
          <summary>All pages</summary>
          <nav aria-label="Pages">
            {[...Map.groupBy(listed, ({ part }) => part)].map(([part, pages]) => (
              <>
                <p>{part}</p>
                <ul>
                  {pages.map((one) => (
                    <li>
                      <a
                        href={up + one.path}
                        aria-current={one.path === page.path
                          ? "page"
                          : one.path === page.under
                          ? "true"
                          : undefined}
                      >
                        {one.title}
                      </a>
                      {one.path === page.path && <Contents sections={page.sections} />}
                    </li>
                  ))}
                </ul>
              </>
            ))}
          </nav>
        </details>
        <main id="main" tabIndex={-1}>
          <article dangerouslySetInnerHTML={{ __html: page.html }} />
          <Neighbours before={listed[at - 1]} after={at < 0 ? undefined : listed[at + 1]} up={up} />
        </main>
      </div>
    </>,
  );
  const title = renderToString(
    <title>{page.path === "index.html" ? page.title : `${page.title} · Retort`}</title>,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
${title}
<link rel="icon" href="${up}assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${up}assets/site.css">
<script src="${up}assets/theme.js"></script>
</head>
<body class="site">${body}
<script src="${up}assets/site.js" defer></script>
</body>
</html>
`;
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'";

function Contents({ sections }: { sections: readonly PageSection[] }) {
  const shown = sections.filter(({ level }) => level === 2);
  if (shown.length < 2) return null;
  return (
    <ul>
      {shown.map(({ id, title }) => (
        <li>
          <a href={`#${id}`}>{title}</a>
        </li>
      ))}
    </ul>
  );
}

function Neighbours(
  { before, after, up }: { before: Listed | undefined; after: Listed | undefined; up: string },
) {
  if (before === undefined && after === undefined) return null;
  return (
    <nav class="neighbours" aria-label="Next to this page">
      {before !== undefined && <a href={up + before.path} rel="prev">← {before.title}</a>}
      {after !== undefined && <a href={up + after.path} rel="next">{after.title} →</a>}
    </nav>
  );
}

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import diff from "highlight.js/lib/languages/diff";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import typescript from "highlight.js/lib/languages/typescript";

/** By the name that stands after a fence. */
const LANGUAGES = { ts: typescript, sh: bash, json, diff, python };
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);

/** Code as HTML with a class for each kind of word; as it is where the language is not known. */
export function highlighted(code: string, language: string): string {
  return Object.hasOwn(LANGUAGES, language) ? hljs.highlight(code, { language }).value : escapeHtml(code);
}

/** Text as content or attribute of HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}

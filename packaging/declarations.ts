import ts from "typescript";

/** What a module declares, as TypeScript outside of Deno reads it; and what of it could not be written. */
export interface Declarations {
  readonly text: string;
  readonly faults: readonly string[];
}

/**
 * The declarations of a module, with its comments: each module is read for itself, so what it exports must name its types.
 *
 * @param path of the source, for faults.
 */
export function declarationsOf(path: string, source: string): Declarations {
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(source, {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: { jsx: ts.JsxEmit.ReactJSX, jsxImportSource: "preact" },
  });
  return {
    // A declaration names other modules by their JavaScript.
    text: outputText.replaceAll(/(?<=\bfrom "\.[^"]*|\bimport\("\.[^"]*)\.tsx?(?=")/g, ".js"),
    faults: diagnostics.map(({ messageText, start = 0 }) => {
      const line = source.slice(0, start).split("\n").length;
      return `${path}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    }),
  };
}

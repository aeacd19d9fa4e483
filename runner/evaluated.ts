import { nodeModule } from "../foundation/node_module.ts";

/** Folders of Retort whose functions declare stages or stand below a pipeline's build, but are no place of stages. */
const OWN = ["./", "../cli/"].map((folder) => new URL(folder, import.meta.url).href);

/**
 * URLs of the modules whose top level is on the call stack, the outermost first. Only importing such a module makes
 * what is being made now, whatever functions of other modules are at work in between. Inside a pipeline's build there
 * is none.
 */
export function evaluatedModules(): string[] {
  const { isAbsolute } = nodeModule("node:path"), { pathToFileURL } = nodeModule("node:url");
  const frames = nodeModule("node:util").getCallSites(200).map(({ scriptName, functionName }) => ({
    // Frames of the runtime itself may have none.
    url: isAbsolute(scriptName ?? "") ? pathToFileURL(scriptName).href : scriptName ?? "",
    // The top level of a module has no name.
    top: functionName === "",
  }));
  const own = (url: string) => OWN.some((folder) => url.startsWith(folder));
  const outside = frames.slice(frames.findIndex(({ url }) => !own(url)));
  const end = outside.findIndex(({ url }) => own(url));
  const modules = (end < 0 ? outside : outside.slice(0, end))
    .filter(({ url, top }) => top && /^(?:file|https?|data|blob):/.test(url))
    .map(({ url }) => url);
  return [...new Set(modules.reverse())];
}

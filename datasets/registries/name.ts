import { UnknownDataSet } from "../errors.ts";

/** A version of a package. */
export interface PackageVersion {
  /** The registry that has it. */
  readonly registry: "npm" | "pypi";
  /** Its name there, with the scope. */
  readonly name: string;
  /** Exactly this version. */
  readonly version: string;
}

/** `npm:NAME@VERSION` or `pypi:NAME@VERSION`. */
export const PACKAGE = /^(npm|pypi):((?:@[\w.-]+\/)?[\w.-]+)@([\w.+!-]+)$/;

/** Whether a name denotes a package, `npm:…` or `pypi:…`, and not a data set. */
export function namesPackage(name: string): boolean {
  return /^(npm|pypi):/.test(name);
}

/**
 * Parses `npm:NAME@VERSION` or `pypi:NAME@VERSION`.
 *
 * @throws UnknownDataSet when it is none.
 */
export function parsePackage(text: string): PackageVersion {
  const found = PACKAGE.exec(text);
  if (found !== null && (found[1] === "npm" || !found[2]!.includes("/"))) {
    return { registry: found[1] as "npm" | "pypi", name: found[2]!, version: found[3]! };
  }
  throw new UnknownDataSet("package/reference", `\`${text}\` names no version of a package`, {
    hint: "Expected npm:NAME@VERSION or pypi:NAME@VERSION, with an exact version.",
  });
}

/** Formats as `npm:NAME@VERSION` or `pypi:NAME@VERSION`. */
export function packageText({ registry, name, version }: PackageVersion): string {
  return `${registry}:${name}@${version}`;
}

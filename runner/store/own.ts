import type { Digest } from "../../foundation/canonical.ts";
import { fileFault } from "../../foundation/faults.ts";

/** Something in a store's folder that the store did not put there. */
export interface Stranger {
  /** Where it lies. */
  readonly path: string;
  /** Why it does not belong there. */
  readonly why: string;
}

/** Called for every stranger found. */
export type OnStranger = (stranger: Stranger) => void;

/** What a folder of the store holds: files or folders with names of one form. */
interface Form {
  readonly kind: "file" | "folder";
  readonly name: RegExp;
  /** What such a name is, for people. */
  readonly is: string;
}

const DIGITS: Form = { kind: "folder", name: /^[0-9a-f]{2}$/, is: "two digits" };
const UNFINISHED = /^(scratch-)?\d+-[0-9a-z]+-[0-9a-f]{8}$/;

/** What lies in which folder of a store, besides objects and results. */
const FORMS = {
  checkpoints: [{ kind: "folder", name: /^[0-9a-f]{64}(\.check)?$/, is: "a key" }],
  runs: [{ kind: "folder", name: /^\d{8}t\d{6}-[0-9a-f]{6}$/, is: "a run's id" }],
  workspaces: [{ kind: "folder", name: /^.+-[0-9a-f]{8}$/, is: "a node's name" }],
  // Of keys, of the first digits of keys that are held, and of objects that are being dropped.
  locks: [{ kind: "file", name: /^([0-9a-f]{2}|[0-9a-f]{4}|objects)$/, is: "four digits" }],
  damaged: [{ kind: "file", name: /^[0-9a-f]{64}(\.json)?$/, is: "a digest" }],
  tmp: [
    { kind: "file", name: UNFINISHED, is: "an unfinished file's" },
    { kind: "folder", name: UNFINISHED, is: "an unfinished file's" },
  ],
} as const satisfies Record<string, readonly Form[]>;

/** Files and folders of a store's own folder, sorted by name: real ones with the names that belong there. */
export function ownEntries(root: string, folder: keyof typeof FORMS, onStranger?: OnStranger): string[] {
  return entries(`${root}/${folder}`, FORMS[folder], onStranger);
}

/** Names and paths in `folder` of files that are named by digests in folders of their first two digits. */
export function* digestFiles(
  folder: string,
  ending: "" | ".json",
  onStranger?: OnStranger,
): Generator<{ readonly digest: Digest; readonly path: string }> {
  for (const digits of entries(folder, [DIGITS], onStranger)) {
    // An object leaves out the two digits that its folder has, a result has all of them.
    const name = ending === "" ? /^[0-9a-f]{62}$/ : new RegExp(`^${digits}[0-9a-f]{62}\\.json$`);
    for (const file of entries(`${folder}/${digits}`, [{ kind: "file", name, is: "a digest" }], onStranger)) {
      const digest = ending === "" ? digits + file : file.slice(0, -ending.length);
      yield { digest, path: `${folder}/${digits}/${file}` };
    }
  }
}

function entries(folder: string, forms: readonly Form[], onStranger: OnStranger = () => {}): string[] {
  try {
    if (Deno.lstatSync(folder).isSymlink) {
      onStranger({ path: folder, why: "it is a link" });
      return [];
    }
    const own: string[] = [];
    for (const entry of Deno.readDirSync(folder)) {
      const kind = entry.isFile ? "file" : entry.isDirectory ? "folder" : undefined;
      if (forms.some((form) => form.kind === kind && form.name.test(entry.name))) own.push(entry.name);
      else {
        const named = forms.some((form) => form.name.test(entry.name));
        const why = entry.isSymlink
          ? "it is a link"
          : named
          ? `it is not a ${forms[0]!.kind}`
          : `its name is not ${forms[0]!.is}`;
        onStranger({ path: `${folder}/${entry.name}`, why });
      }
    }
    return own.sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw fileFault(error, "reading", folder);
  }
}

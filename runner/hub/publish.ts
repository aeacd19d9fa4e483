import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CallError, RetortError } from "../../foundation/errors.ts";
import { byCodeUnit } from "../../foundation/canonical.ts";
import { removeQuietly } from "../../foundation/atomic.ts";
import { exportArtifact } from "../export.ts";
import { hubCard, modelCard } from "../model_card.ts";
import type { Records } from "../records/records.ts";
import type { ArtifactRecord } from "../records/rows.ts";
import type { Store } from "../store/store.ts";
import { ABOUT, MAKE_ONE, type ModelHub, statusOf, withHub } from "./hub.ts";

/** What was published. */
export interface Published {
  readonly repository: string;
  /** Address of its page. */
  readonly url: string;
  /** The commit on the Hub. */
  readonly commit: string;
  readonly files: number;
  readonly bytes: number;
}

/** How a model is published. */
export interface PublishOptions {
  /** Whether everybody may see it, where the repository is new; otherwise only its owner. */
  readonly public?: boolean;
  /** Name of the licence as the Hub knows it: `apache-2.0`. */
  readonly license?: string;
  readonly signal?: AbortSignal;
}

/** Files that are the Hub's own. */
const OWN: ReadonlySet<string> = new Set([".gitattributes"]);

/**
 * Publishes a model with its card as one commit: the files of an export, checked against their digests. A repository that is
 * there already must be one of Retort's; what an earlier model had and this one has not is removed by the same commit. What was
 * uploaded by an attempt that broke off is not uploaded again.
 *
 * @throws CallError for what is no model or without a token, RetortError when the Hub refuses.
 */
export async function publishModel(
  store: Store,
  records: Records,
  record: ArtifactRecord,
  repository: string,
  hub: ModelHub,
  options: PublishOptions = {},
): Promise<Published> {
  const card = modelCard(records, record);
  if (card === undefined) {
    throw new CallError(
      "hub/no-model",
      `${record.node}:${record.output} is no model: it is a ${record.artifact.codec}`,
      {
        hint: "Publish an output of the type circuit or patch-model; `deno task show RUN` lists them.",
      },
    );
  }
  const { token, url } = hub;
  if (token === undefined) {
    throw new CallError("hub/token", "publishing needs an access token", { hint: MAKE_ONE });
  }
  const { commit, createRepo, listFiles, modelInfo } = await import("@huggingface/hub");
  const folder = Deno.makeTempDirSync({ prefix: "retort-publish-" });
  try {
    const exported = await exportArtifact(store, record, folder, hubCard(card, options.license));
    const paths = listed(folder).sort(byCodeUnit);
    const access = { accessToken: token, hubUrl: url };
    return await withHub(hub, `publishing to ${repository}`, options.signal, async () => {
      try {
        await createRepo({ ...access, repo: repository, visibility: options.public ? "public" : "private" });
      } catch (error) {
        if (statusOf(error) !== 409) throw error; // It is there already.
      }
      const { sha } = await modelInfo({ ...access, name: repository, additionalFields: ["sha"] });
      const there: string[] = [];
      for await (const entry of listFiles({ ...access, repo: repository, recursive: true })) {
        if (entry.type === "file" && !OWN.has(entry.path)) there.push(entry.path);
      }
      if (there.length > 0 && !there.includes(ABOUT)) {
        throw new RetortError(
          "hub/not-retort",
          `${repository} holds other things: ${there.slice(0, 3).join(", ")}`,
          {
            hint: "Name a new repository, or an earlier one of Retort's.",
          },
        );
      }
      const made = await commit({
        ...access,
        repo: repository,
        title: `${record.node}:${record.output} of run ${record.run}`,
        ...(sha === undefined ? {} : { parentCommit: sha }),
        operations: [
          ...there.filter((path) => !paths.includes(path)).map((path) => ({
            operation: "delete" as const,
            path,
          })),
          ...paths.map((path) => ({
            operation: "addOrUpdate" as const,
            path,
            content: pathToFileURL(join(folder, path)),
          })),
        ],
        // Plain HTTP, which every address of the Hub's interface speaks.
        useXet: false,
        ...(options.signal === undefined ? {} : { abortSignal: options.signal }),
      });
      return {
        repository,
        url: `${url}/${repository}`,
        commit: made?.commit.oid ?? "",
        files: paths.length,
        bytes: exported.bytes,
      };
    });
  } finally {
    removeQuietly(folder);
  }
}

/** Paths of all files in a folder, relative to it. */
function listed(folder: string, inside = ""): string[] {
  return [...Deno.readDirSync(join(folder, inside))].flatMap(({ name, isDirectory }) => {
    const path = inside === "" ? name : `${inside}/${name}`;
    return isDirectory ? listed(folder, path) : [path];
  });
}

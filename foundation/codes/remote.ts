import type { CodeEntry } from "./entry.ts";

/** Codes of stores elsewhere: S3 buckets and mirrors. */
export type RemoteCode =
  | "remote/url"
  | "remote/credentials"
  | "remote/unreachable"
  | "remote/refused"
  | "remote/read-only"
  | "remote/no-run";

/** What they mean. */
export const remoteCodes: Readonly<Record<RemoteCode, CodeEntry>> = {
  "remote/url": {
    means: "This is no address of a remote.",
    example: '"bucket/folder" is no address of a remote',
    remedy: "An address is `s3://BUCKET/FOLDER`, or `https://HOST/FOLDER` for a mirror that is only read.",
  },
  "remote/credentials": {
    means: "There are no credentials for S3.",
    example: "no credentials for S3: the profile `default` has no access key",
    remedy:
      "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of `~/.aws/credentials` by AWS_PROFILE.",
  },
  "remote/unreachable": {
    means: "The remote does not answer, or answers that it cannot just now.",
    example: "s3://bucket/store does not answer: reading results/ab/cd.json: it answers 503",
    remedy: "Look at the address and the network; the same command goes on where it stopped.",
  },
  "remote/refused": {
    means: "The remote answers, and says no.",
    example: "s3://bucket/store refuses: writing objects/ab/cd: it answers 403 AccessDenied",
    remedy: "Ask whether the bucket exists and whether these credentials may use it so.",
  },
  "remote/read-only": {
    means: "The remote is a mirror, which is only read.",
    example: "https://models.example/store is a mirror: it is only read",
    remedy: "Put results onto an S3 bucket, or copy the store's folder behind the web server.",
  },
  "remote/no-run": {
    means: "Nobody has put this run onto the remote.",
    example: "s3://bucket/store has no run 20260101t000000-abcdef",
    remedy: "Put it there with `retort push RUN --remote URL`, on the machine that has it.",
  },
};

import { s3Access } from "./credentials.ts";
import { HttpMirror } from "./http.ts";
import { type AskOptions, type Remote, remoteAddress, USUAL } from "./remote.ts";
import { S3Remote } from "./s3.ts";

/**
 * The remote at an address: `s3://BUCKET/FOLDER`, or `https://HOST/FOLDER` for a mirror. Nothing is asked yet.
 *
 * @throws CallError for an address that is none, and where there are no credentials for it.
 */
export function remoteAt(
  text: string,
  options: AskOptions = USUAL,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Remote {
  const url = remoteAddress(text);
  return url.protocol === "s3:"
    ? new S3Remote(url, accessOf(url, env), options)
    : new HttpMirror(url, options);
}

/** The host and port that a remote is asked at, for permissions. @throws as {@link remoteAt}. */
export function hostOf(
  text: string,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  const url = remoteAddress(text);
  if (url.protocol !== "s3:") return url.host;
  const { endpoint, region } = accessOf(url, env);
  if (endpoint !== undefined) return new URL(endpoint).host;
  const bucket = url.hostname;
  return bucket.includes(".") ? `s3.${region}.amazonaws.com` : `${bucket}.s3.${region}.amazonaws.com`;
}

function accessOf(url: URL, env: (name: string) => string | undefined) {
  return s3Access(env, {
    region: url.searchParams.get("region"),
    endpoint: url.searchParams.get("endpoint"),
  });
}

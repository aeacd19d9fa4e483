import { CallError, messageOf } from "../../../foundation/errors.ts";

/** Who asks an S3 server, and which. Never printed or recorded. */
export interface S3Access {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  /** Address of the server, where it is not Amazon's. */
  readonly endpoint?: string;
}

/** The variables that {@link s3Access} looks at. */
export const S3_VARIABLES = [
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"],
  ...["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
  ...["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "HOME", "USERPROFILE"],
] as const;

/**
 * Finds credentials, region and server as Amazon's own programs do: in the environment, then in the profile that `AWS_PROFILE` names, of
 * `~/.aws/credentials` and `~/.aws/config`.
 *
 * @param asked what the remote's address says.
 * @throws CallError where there are none.
 */
export function s3Access(
  env: (name: string) => string | undefined,
  asked: { readonly region?: string | null; readonly endpoint?: string | null } = {},
): S3Access {
  const set = (name: string) => env(name) || undefined;
  const home = set("HOME") ?? set("USERPROFILE") ?? "";
  const profile = set("AWS_PROFILE") ?? "default";
  const kept = sectionsOf(set("AWS_SHARED_CREDENTIALS_FILE") ?? `${home}/.aws/credentials`)[profile] ?? {};
  const config = sectionsOf(set("AWS_CONFIG_FILE") ?? `${home}/.aws/config`);
  const settings = config[profile === "default" ? "default" : `profile ${profile}`] ?? {};
  const own = set("AWS_ACCESS_KEY_ID") !== undefined;
  const from = own
    ? [set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY"), set("AWS_SESSION_TOKEN")]
    : ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"].map((name) =>
      kept[name] ?? settings[name]
    );
  const [accessKeyId, secretAccessKey, sessionToken] = from;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const place = own ? "AWS_SECRET_ACCESS_KEY is not set" : `the profile \`${profile}\` has no access key`;
    throw new CallError("remote/credentials", `no credentials for S3: ${place}`, {
      hint:
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of ~/.aws/credentials by AWS_PROFILE.",
    });
  }
  const endpoint = asked.endpoint ?? set("AWS_ENDPOINT_URL_S3") ?? set("AWS_ENDPOINT_URL") ??
    settings.endpoint_url;
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw new CallError("remote/url", "the endpoint of S3 is no http address", {
      hint: "It is named by `?endpoint=https://HOST` after the remote's address, or by AWS_ENDPOINT_URL_S3.",
    });
  }
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region: asked.region ?? set("AWS_REGION") ?? set("AWS_DEFAULT_REGION") ?? settings.region ?? "us-east-1",
    ...(endpoint === undefined ? {} : { endpoint: endpoint.replace(/\/+$/, "") }),
  };
}

/** Sections of a file of settings with their values; none where there is no file. Settings inside settings are left out. */
function sectionsOf(path: string): Record<string, Record<string, string>> {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return {};
    throw new CallError("remote/credentials", `cannot read ${path}: ${messageOf(error)}`, {
      hint: "It holds the access keys of S3, by profile.",
    });
  }
  const sections: Record<string, Record<string, string>> = {};
  let section: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const head = /^\[\s*(.+?)\s*\]/.exec(line);
    if (head !== null) section = sections[head[1]!] ??= {};
    const [, name, value] = /^([a-z_]\w*)\s*=\s*(.*?)\s*$/i.exec(line) ?? [];
    if (name !== undefined && value !== "") section[name.toLowerCase()] = value!;
  }
  return sections;
}

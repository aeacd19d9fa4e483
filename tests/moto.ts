/** An S3 server on this machine, by Python's moto, which keeps to conditional puts. One for a test file. */
import { type AskOptions } from "../runner/store/remote/remote.ts";
import { S3Remote } from "../runner/store/remote/s3.ts";
import { needs } from "./needs.ts";

const PYTHON = Deno.env.get("RETORT_PYTHON") ?? "python3";

/** Its own check of `If-None-Match` and its writing are two steps, between which another request may come: here they are one, as on S3. */
const PROGRAM = `
import sys, threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
import logging
logging.getLogger("werkzeug").disabled = True
app = DomainDispatcherApplication(create_backend_app)
turn = threading.Lock()
def atomic(environ, start_response):
    if environ["REQUEST_METHOD"] != "PUT":
        return app(environ, start_response)
    with turn:
        return [b"".join(app(environ, start_response))]
server = make_server("127.0.0.1", 0, atomic, True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
`;

/** Options of a test that needs the server. */
export const onS3 = needs("s3", hasMoto());

function hasMoto(): boolean {
  try {
    return new Deno.Command(PYTHON, {
      args: ["-c", "import importlib.util as u; assert u.find_spec('moto') and u.find_spec('flask')"],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  } catch {
    return false;
  }
}

/** Who asks: moto takes any keys. */
export const ACCESS = {
  accessKeyId: "AKIATESTTESTTEST",
  secretAccessKey: "the/secret+key",
  region: "us-east-1",
};

/** Tests wait for nobody. */
export const HASTE: AskOptions = { tries: 3, wait: 5, silence: 20_000, part: 5 << 20 };

/** A running server. */
export class Moto implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(child: Deno.ChildProcess, readonly endpoint: string) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
  }

  /** Starts one, with a bucket `bucket`. */
  static async start(): Promise<Moto> {
    const child = new Deno.Command(PYTHON, {
      args: ["-c", PROGRAM],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let told = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      told += text;
      if (told.includes("\n")) break;
    }
    const endpoint = `http://127.0.0.1:${Number(told)}`;
    const made = await fetch(`${endpoint}/bucket`, { method: "PUT" });
    await made.body?.cancel();
    if (!made.ok) throw new Error(`moto makes no bucket: ${made.status}`);
    return new Moto(child, endpoint);
  }

  /** The environment of who asks it. */
  get env(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: ACCESS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ACCESS.secretAccessKey,
      AWS_ENDPOINT_URL_S3: this.endpoint,
    };
  }

  /** A folder of the bucket. */
  remote(folder: string, endpoint = this.endpoint, options: Partial<AskOptions> = {}): S3Remote {
    return new S3Remote(new URL(`s3://bucket/${folder}`), { ...ACCESS, endpoint }, { ...HASTE, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
  }
}

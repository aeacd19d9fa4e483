import assert from "node:assert/strict";
import { Moto, onS3 } from "../moto.ts";
import { command, fixture, Folder } from "../command.ts";

Deno.test({
  ...onS3,
  name: "runs, push, pull and gc with a bucket, by commands with the permissions of their tasks",
  async fn() {
    await using moto = await Moto.start();
    using folder = new Folder();
    const data = `${folder.path}/data.txt`;
    await Deno.writeTextFile(data, "a quick brown fox");
    const call = async (task: string, args: readonly string[]) => {
      const ended = await command(task, [...args, "--json"], { env: moto.env });
      assert.equal(ended.code, 0, ended.stderr);
      return JSON.parse(ended.stdout);
    };
    const remote = ["--remote", "s3://bucket/cli"];
    const run = [fixture("letters"), "--set", `path=${data}`, "--jobs", "1"];
    await call("run", [...run, ...remote, "--store", `${folder.path}/1`]);
    const [pulled] = await call("pull", [...remote, "--store", `${folder.path}/2`]);
    assert.deepEqual([pulled.results, pulled.lost], [4, []]);
    const [pushed] = await call("push", ["latest", ...remote, "--store", `${folder.path}/2`]);
    assert.deepEqual([pushed.run, pushed.results, pushed.there], [pulled.run, 0, 4]);
    const swept = await call("gc", [...remote, "--days", "0", "--dry-run", "--store", `${folder.path}/2`]);
    assert.equal(swept.keptResults, 4);
    const wrong = await command("push", ["--remote", "s3://bucket", "--store", `${folder.path}/2`]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /error\[remote\/credentials\]/);
  },
});

"use strict";
/**
 * Promise: There are as many workers by default as processors that the program may use: affinity and quotas count.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { FIXTURES } = require("../support/run");
const { Workspace } = require("../support/workspace");

const PROGRAM = path.join(FIXTURES, "start", "default-workers.js");
const CGROUPS = "/sys/fs/cgroup";
const PERIOD_US = 100_000;

/** What limits a group of this machine's control groups to one processor and a half; null if this machine lets nobody. */
function quotaOf(folder) {
  const isUnified = fs.existsSync(path.join(CGROUPS, "cgroup.controllers"));
  const group = path.join(CGROUPS, isUnified ? "" : "cpu", folder);
  const quota = PERIOD_US * 1.5;
  try {
    fs.mkdirSync(group);
    if (isUnified) fs.writeFileSync(path.join(group, "cpu.max"), `${quota} ${PERIOD_US}`);
    else fs.writeFileSync(path.join(group, "cpu.cfs_quota_us"), `${quota}`);
    return group;
  } catch (_) {
    fs.rmSync(group, { recursive: true, force: true });
    return null;
  }
}

describe("as many workers as processors", { skip: process.platform !== "linux" }, () => {
  const place = new Workspace("processors");
  after(() => place.remove());

  async function run(...command) {
    const [file, ...args] = [...command, process.execPath, PROGRAM, "none"];
    const env = { ...process.env, QUIET: "1" };
    const { code, stdout, stderr } = await runCommand(file, args, { cwd: place.folder, env });
    assert.equal(code, 0, stderr);
    return JSON.parse(/^RESULT (.*)$/m.exec(stdout)[1]);
  }

  it("that the program's affinity allows", async () => {
    const { workers } = await run("taskset", "--cpu-list", "0");
    assert.equal(workers, 1);
  });

  const folder = `sonic-${process.pid}`;
  const group = quotaOf(folder);
  const skip = group === null && "nobody may make control groups here";
  it("that the quota of its control group allows, rounded down", { skip }, async () => {
    try {
      const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
      const { workers } = await run("sh", "-c", enter, group);
      assert.equal(workers, 1);
    } finally {
      fs.rmdirSync(group);
    }
  });
});

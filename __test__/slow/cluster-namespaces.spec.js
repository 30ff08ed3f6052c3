"use strict";
/**
 * Promise: A host on a machine of its own, whose link is down for longer than its lease, costs the events that it may have begun. The
 * others run elsewhere, and each ends once. It takes part again when the link is there again.
 */
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const path = require("node:path");
const { describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { install } = require("../support/debian");

const PROGRAM = path.join(__dirname, "..", "fixtures", "cluster", "cut-off.js");

/** Commands that run others in a network namespace of their own, in which they may make links: the second for root alone. */
const WAYS = [
  ["unshare", "--map-root-user", "--net"],
  ["unshare", "--net"],
];

const PROBE = "ip link add name a type veth peer name b && unshare --net true";

/** The first of those that works here, or why none does. */
function wayOf() {
  const reasons = [];
  for (const way of WAYS) {
    const [file, ...args] = [...way, "sh", "-c", PROBE];
    const { status, error, stderr } = spawnSync(file, args, { encoding: "utf8" });
    if (status === 0) return { way };
    reasons.push(`${way.join(" ")}: ${error ? error.message : stderr.trim()}`);
  }
  return { reason: `this machine makes no network namespaces: ${reasons.join("; ")}` };
}

const { way, reason } = wayOf();

describe("a host in a network namespace of its own", { skip: reason ?? false }, () => {
  it("is cut off for longer than its lease, and every event is accounted for", async () => {
    install("redis-server");
    const [file, ...args] = [.../** @type {string[]} */ (way), process.execPath, PROGRAM];
    const { code, stdout, stderr } = await runCommand(file, args);
    assert.equal(code, 0, `${stdout}${stderr}`);
  });
});

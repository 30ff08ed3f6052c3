"use strict";
/**
 * Promise: Where Node may not load addons or start processes, the call rejects and names the option to add. Where it
 * may, a run works, its workers are as restricted as their master, and the package writes no file that Node would not
 * write.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { describe, it } = require("node:test");
const { run, NODE } = require("../../support/run");

const help = execFileSync(NODE, ["--help"], { encoding: "utf8" });
const MODEL = ["--permission", "--experimental-permission"].find((option) =>
  new RegExp(`${option}\\b(?!-)`).test(help),
);
const skip = MODEL ? false : "this Node has no permission model";
const READ = "--allow-fs-read=*";

const outcome = async (nodeArgs, args = [""], env = {}) =>
  (await run("permission/job.js", { nodeArgs, args, env })).result;

async function rejects(nodeArgs, ...texts) {
  const { error } = await outcome(nodeArgs);
  assert.equal(error.code, "ERR_SONIC_PERMISSION", error.message);
  for (const text of texts) assert.ok(error.message.includes(text), error.message);
}

describe("a program under --no-addons", () => {
  it("is told so", () => rejects(["--no-addons"], "--no-addons. Take that option away"));
});

describe("a program under Node's permission model", { skip }, () => {
  it("is told what it lacks: --allow-addons", () =>
    rejects(
      [MODEL, READ, "--allow-child-process"],
      "without --allow-addons",
      "Add --allow-addons",
    ));
  it("is told what it lacks: --allow-child-process", () =>
    rejects(
      [MODEL, READ, "--allow-addons"],
      "without --allow-child-process",
      "Add --allow-child-process",
    ));
  it("is told what it lacks: both", () => rejects([MODEL, READ], "--allow-child-process"));

  const allowed = ["--allow-addons", "--allow-child-process"];
  const restricted = { value: [true, true, false], own: [true, true, false] };
  it("runs where it may, and its workers may do no more than it", async () => {
    assert.deepEqual(await outcome([MODEL, READ, ...allowed]), restricted);
    assert.deepEqual(
      await outcome([], [""], { NODE_OPTIONS: [MODEL, READ, ...allowed].join(" ") }),
      restricted,
    );
  });

  it("has workers that may do no more than it, whatever options of Node it has set for them", async () => {
    for (const execArgv of [[], ["--no-warnings"]]) {
      for (const read of [[READ], ["--allow-fs-read", "*"]])
        assert.deepEqual(
          await outcome([MODEL, ...read, ...allowed], [JSON.stringify(execArgv)]),
          restricted,
        );
    }
  });

  it("has workers that may do less, if it has set that", async () => {
    const { value } = await outcome(
      [MODEL, READ, "--allow-fs-write=*", ...allowed],
      [JSON.stringify([MODEL, READ, "--allow-addons"])],
    );
    assert.deepEqual(value, [false, true, false]);
  });

  it("gets no file of the package's where it may not write", async () => {
    const { error } = await outcome([MODEL, READ, ...allowed], ["", "trace"]);
    assert.equal(error.code, "ERR_SONIC_OUTPUT");
    assert.match(error.message, /--allow-fs-write/);
    assert.ok(
      (await outcome([MODEL, READ, "--allow-fs-write=*", ...allowed], ["", "trace"])).value,
    );
  });

  const audits = /--permission-audit/.test(help) ? false : "this Node has no --permission-audit";
  it("runs where that is only audited", { skip: audits }, async () => {
    assert.deepEqual(await outcome(["--permission-audit", "--allow-addons"]), {
      value: [false, false, false],
      own: [false, false, false],
    });
  });
});

"use strict";
/**
 * Promise: what events and calls can say of themselves does over a cluster what it does on one machine. The same program reports the same
 * on both.
 *
 * The broker is a real one, and hosts are processes.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { BIN, TestBroker, until } = require("../support/broker");
const { runCommand } = require("../support/command");
const { install } = require("../support/debian");

const PROGRAM = path.join(__dirname, "..", "fixtures", "cluster", "options.js");

/** Long enough for a busy machine's processes, which get no time for seconds, and short enough to wait for. */
const LEASE = 4000;

describe("what events and calls say of themselves", { concurrency: 4 }, () => {
  let broker;
  let cluster;
  let env;
  /** Each is a cluster of its own. */
  const prefixes = [];
  const apart = (mode, more) => {
    const at = (name) => path.join(broker.folder, `${mode}-${name}`);
    prefixes.push(mode);
    const ran = () => fs.readFileSync(at("ran"), "utf8");
    fs.writeFileSync(at("ran"), "");
    const own = {
      CLUSTER: JSON.stringify({ ...cluster, prefix: mode, ...more }),
      MODE: mode,
      RAN: at("ran"),
    };
    return { own, ran, gate: at("gate") };
  };

  before(async () => {
    await install("redis-server");
    broker = await TestBroker.start();
    cluster = { url: broker.url, lease: LEASE, timeout: 40_000 };
    env = { CLUSTER: JSON.stringify(cluster) };
    for (const name of ["a", "b"])
      broker.host(name, PROGRAM, { ...env, RAN: path.join(broker.folder, "there") });
  });

  after(async () => {
    try {
      for (const prefix of ["sonic", ...prefixes])
        await until(async () => (await broker.keys(prefix)).length === 0, "keys are left");
    } catch (error) {
      for (const { output } of broker.programs) console.error(output);
      throw error;
    } finally {
      await broker.end();
    }
  });

  it("is as on one machine", async () => {
    const masters = [
      broker.master(PROGRAM, { ...env, RAN: path.join(broker.folder, "there") }),
      broker.master(PROGRAM, { RAN: path.join(broker.folder, "here") }),
    ];
    const [there, here] = await Promise.all(masters.map((master) => master.result()));
    assert.equal(here.error, undefined);
    assert.deepEqual(there, here);
  });

  it("counts once though a host is lost: what it had emitted and counted of events that run again is nobody's", async () => {
    const { own, ran, gate } = apart("lost");
    own.GATE = gate;
    const hosts = ["a", "b"].map((name) => broker.host(name, PROGRAM, own));
    const master = broker.master(PROGRAM, own);
    // The first event has one of the hosts to itself.
    await until(ran, "a host runs events");
    const [first, second] = ran().includes("a") ? [hosts[0], "b"] : [hosts[1], "a"];
    first.kill("SIGKILL");
    await until(() => ran().includes(second), "the other one runs it again");
    fs.writeFileSync(gate, "");
    const { ended, counts } = await master.result();
    const numbers = Array.from({ length: 63 }, (_, at) => at + 1);
    assert.deepEqual(ended, [numbers, []]);
    assert.deepEqual(counts, { seen: 63, depth: 258 });
  });

  it("sends events to those that have their tags, and keeps the order of each key", async () => {
    const { own, ran } = apart("tags", { timeout: 8000 });
    const exclusive = ["--tags", "alone", "--exclusive"];
    const hosts = [[], ["--tags", "gpu,big"], exclusive].map((options, at) =>
      broker.host(`host${at}`, PROGRAM, own, options),
    );
    const { named, alone, isLeftAlone, handed, pids, unknown, shared } = await broker
      .master(PROGRAM, own)
      .result();
    assert.deepEqual(named, ["host1", "own", "host1", "own"]);
    assert.deepEqual([alone, isLeftAlone], ["host2", true]);
    assert.deepEqual(handed, [
      ["gpu", "host1"],
      ["own", "own"],
    ]);
    assert.equal(unknown.code, "ERR_SONIC_NO_WORKER");
    assert.match(
      unknown.message,
      /no worker has "own" and "gpu" together; .*"alone" and "big" and "gpu" and "own"/,
    );
    assert.deepEqual(shared, ["own", "", ""]);
    // Each account has one worker, and there are several.
    const accounts = 12;
    for (const [at, pid] of pids.entries()) assert.equal(pid, pids[at % accounts]);
    assert.ok(new Set(pids).size > 1);
    const lines = ran().trim().split("\n");
    for (let at = 0; at < accounts; at++) {
      const told = lines.filter((line) => line.includes(`account-${at} `));
      const all = ["0", "1", "2", "3", "4"].flatMap((number) =>
        ["begins", "ends"].map((what) => `${what} account-${at} ${number} ${pids[at]}`),
      );
      assert.deepEqual(told, all);
    }
    const { stdout } = await runCommand(process.execPath, [
      BIN,
      ...["hosts", "--cluster", broker.url, "--prefix", "tags"],
    ]);
    assert.match(stdout, /^host1: 1 worker, tags gpu, big, /m);
    for (const host of hosts) host.kill("SIGTERM");
    for (const host of hosts) assert.equal(await host.ended, 0);
  });

  it("runs the most urgent first", async () => {
    const { own, ran, gate } = apart("priority");
    own.GATE = gate;
    broker.host("one", PROGRAM, own);
    const master = broker.master(PROGRAM, own);
    // The host has taken two chunks of each priority, as many as it may have.
    const taken = async () => {
      const queues = await broker.client.keys("priority:q:*:active");
      const ofHost = queues.filter((key) => !key.includes(".results:"));
      const counts = await Promise.all(ofHost.map((key) => broker.client.llen(key)));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    await until(async () => (await taken()) === 4, "the host takes those that are urgent");
    fs.writeFileSync(gate, "");
    await master.result();
    const begun = [...ran().matchAll(/begins (\w+)/g)].map(([, name]) => name);
    assert.equal(begun.length, 24);
    // Two others were on their way to the host, and one that is sent with the last may come before it.
    const before = begun.slice(0, 12).filter((name) => name.startsWith("high"));
    assert.deepEqual(before.sort(), ["high1", "high2", "high3", "high4"]);
  });

  it("runs a worker file on hosts that have it as their program, and in as many workers here as the pool is resized to", async () => {
    const { own } = apart("file");
    broker.host("one", path.join(path.dirname(PROGRAM), "stages.js"), own);
    const told = await broker.master(PROGRAM, own).result();
    assert.equal(told.error, undefined);
    const { host, data, asked, id } = told.before;
    assert.deepEqual({ host, data, asked }, { host: "one", data: 1, asked: 1 });
    assert.deepEqual(told.failure, { name: "RangeError", message: "not 2" });
    assert.equal(told.unknown.code, "ERR_SONIC_UNKNOWN_STAGE");
    assert.match(told.unknown.message, /it has who, load, loaded, fails, touched$/);
    const ids = [`one ${id}`, ...told.own.map((own) => `own ${own}`)];
    assert.deepEqual(told.ids, ids.sort());
    assert.equal(new Set([id, ...told.own]).size, 3);
    assert.equal(told.left, 1);
    assert.deepEqual(told.counts, { asked: told.length + 1 });
  });

  it("runs work once in every worker, and first in those that come later", async () => {
    const { own, ran } = apart("each");
    const file = path.join(path.dirname(PROGRAM), "stages.js");
    broker.host("one", file, own);
    const master = broker.master(PROGRAM, own);
    await until(ran, "all have run events that are there");
    broker.host("two", file, own);
    const told = await master.result();
    assert.equal(told.error, undefined);
    assert.equal(told.nobody.code, "ERR_SONIC_NO_WORKER");
    assert.deepEqual(told.none, []);
    assert.equal(told.host, "one");
    assert.deepEqual(
      told.kept.map(([host]) => host),
      ["one"],
    );
    // Each had loaded both before its first event.
    assert.ok(
      told.ids.every((line) => line.endsWith(" 11")),
      told.ids,
    );
    const hosts = ["one", "own", "own", "two"];
    assert.deepEqual(
      told.ids.map((line) => line.split(" ")[0]),
      hosts,
    );
    assert.deepEqual(told.once.map(([host]) => host).sort(), hosts);
    assert.equal(told.own.code, "ERR_SONIC_NO_WORKER");
    assert.deepEqual(told.failure, { name: "RangeError", message: "not 3" });
    assert.deepEqual(
      told.after.map(([, , loaded]) => loaded),
      [111, 111, 111, 111],
    );
    assert.deepEqual(told.counts, { loaded: 12 });
  });

  it("refuses tags that none can have", async () => {
    const { code, stderr } = await runCommand(process.execPath, [
      BIN,
      ...["host", "--cluster", broker.url, "--tags", "a,,b", PROGRAM],
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /--tags must be an array of strings of 1 to/);
    const alone = ["host", "--cluster", broker.url, "--exclusive", PROGRAM];
    const refused = await runCommand(process.execPath, [BIN, ...alone]);
    assert.deepEqual([refused.code, /--exclusive needs --tags/.test(refused.stderr)], [2, true]);
    for (const { option, message } of [
      { option: ["--exclusive=false"], message: /--exclusive takes no value, got false/ },
      { option: ["--spill-dir", ""], message: /--spill-dir needs a value/ },
      { option: ["--spill-dir", "--exclusive"], message: /--spill-dir needs a value/ },
    ]) {
      const wrong = await runCommand(process.execPath, [BIN, "host", ...option, PROGRAM]);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, message);
    }
  });
});

"use strict";
/**
 * Promise: A program with the option `dashboard`, or with SONIC_DASHBOARD in its environment, has one page that shows all its pools and runs.
 * Only this machine sees it, or who has the token. It is read-only, is told without being asked, holds up neither the program nor its end,
 * and leaves nothing behind. Without it nothing of it is loaded.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { describe, it } = require("node:test");
const { Follower, addressOf, ask } = require("../support/follow");
const { NO_PROC } = require("../support/processes");
const { run, start } = require("../support/run");

const job = (options, ...more) =>
  start("dashboard/job.js", { args: [JSON.stringify(options), ...more] });

/** 40 events: four throw, and one ends its worker. */
const CAME = [35, 5];
const hasCome = ({ pools }) => pools[1]?.counts?.answered === 34 && pools[1].counts.failed === 5;

const TOKEN = "0123456789abcdef-token";

describe("a dashboard", () => {
  for (const how of ["run", "stream"]) {
    it(`shows a ${how} as it goes on, and says when the program has ended`, async () => {
      const program = job({ dashboard: 0 }, how);
      const url = await addressOf(program);
      assert.match((await ask(url)).text, /^<!doctype html>/);
      const follower = new Follower(url);
      const known = await follower.until(hasCome);
      const [pool] = Object.values(known.pools);
      assert.equal(pool.kind, how === "run" ? "MapReduce" : "stream");
      assert.match(pool.title, /job\.js/);
      assert.equal(pool.counts.handedOver, 39);
      assert.ok(pool.run.p99 >= pool.run.p50);
      const { recent } = follower.known.pools[1];
      assert.ok(recent.run.count > 0 && recent.wait.count === recent.run.count);
      program.mark("go");
      const { result } = await program.ended;
      assert.deepEqual(result.value, CAME);
      await follower.ended;
      assert.deepEqual(follower.known.ends, ["end"]);
      assert.equal(follower.known.pools[1].counts.answered, CAME[0]);
      assert.equal(follower.known.pools[1].counts.unfinished, 0);
    });
  }

  it("has of each failure its data, stack, attempts and error output, as text, in groups of one kind", async () => {
    const program = job({ dashboard: 0, retries: 1 });
    const follower = new Follower(await addressOf(program));
    await follower.until(hasCome);
    program.mark("go");
    await program.ended;
    const { groups, list, marks } = follower.known;
    const [range, crash] = ["RangeError", "Error"].map((name) =>
      Object.values(groups).find((group) => group.name === name),
    );
    assert.equal(range.count, 4);
    assert.equal(range.message, "no part # <img src=x onerror=hacked()>");
    assert.equal(crash.count, 1);
    const one = list.find(({ message }) => message.startsWith("no part 17 "));
    assert.equal(one.key, range.key);
    assert.equal(one.data, "{ part: 17 }");
    assert.equal(one.label, "part 17");
    assert.equal(one.code, "ERR_PART");
    assert.match(one.stack, /^RangeError: no part 17 <img [\s\S]*job\.js/);
    assert.equal(one.attempts.length, 2);
    assert.ok(one.attempts.every(({ worker, pid, duration }) => worker && pid && duration >= 0));
    const died = list.find(({ key }) => key === crash.key);
    assert.equal(died.exitCode, 3);
    assert.match(died.stderr, /it dies of part 13/);
    assert.deepEqual(
      marks.map(({ code, pool }) => [code, pool]),
      [
        [3, 1],
        [3, 1],
      ],
    );
  });

  it("shows a pool's runs by their work, with the graph of a flow and the counts of its nodes", async () => {
    const program = start("dashboard/pool.js", {
      args: [JSON.stringify({ numWorkers: 2, dashboard: 0 })],
    });
    const follower = new Follower(await addressOf(program));
    const { pools, list } = await follower.until(({ pools }) => pools[1]?.counts?.answered === 27);
    const [{ kind, counts, runs, size, workers }] = Object.values(pools);
    assert.deepEqual([kind, counts.failed, size, workers.length > 0], ["createPool", 4, 2, true]);
    // Of calls and runs.
    assert.deepEqual([pools[1].recent.run.count, runs[0].recent.run.count], [31, 30]);
    assert.equal(runs.length, 1);
    const [{ work, nodes, graph, run, isOver }] = runs;
    assert.deepEqual([work, isOver, run.count], ["numbers", false, 30]);
    assert.deepEqual(
      nodes.map(({ name, kind }) => [name, kind]),
      [
        ["add", "map"],
        ["even", "filter"],
      ],
    );
    assert.deepEqual([nodes[0].events, nodes[0].failed], [30, 3]);
    assert.equal(graph.heads.length, 2);
    const call = list.find(({ name }) => name === "TypeError");
    assert.deepEqual(
      [call.work, call.message, call.data],
      ["wrong", "not [object Object]", "{ secret: 1 }"],
    );
    program.mark("go");
    const { result } = await program.ended;
    assert.deepEqual(result, { failed: "not [object Object]", entries: 12 });
    await follower.ended;
    const failures = follower.known.list.filter(({ work }) => work === "numbers");
    assert.deepEqual(
      failures.map(({ name, data }) => [name, data]).sort(),
      ["13", "23", "3"].map((data) => ["RangeError", data]),
    );
    assert.ok(follower.known.pools[1].endedAt > 0);
  });

  it("shows a pool that runs in the program's own process", async () => {
    const options = { numWorkers: 2, dashboard: 0, inProcess: true };
    const program = start("dashboard/pool.js", { args: [JSON.stringify(options)] });
    const follower = new Follower(await addressOf(program));
    const { list, pools } = await follower.until(
      ({ pools, list }) => pools[1]?.runs?.[0]?.counts.failed === 3 && list.length > 0,
    );
    const [{ work, isOver, counts }] = pools[1].runs;
    assert.deepEqual([work, isOver, counts.unfinished], ["numbers", false, 0]);
    assert.deepEqual([list[0].message, list[0].data], ["not [object Object]", "{ secret: 1 }"]);
    assert.equal(pools[1].workers[0][1], program.pid);
    program.mark("go");
    await program.ended;
    await follower.ended;
    assert.ok(follower.known.pools[1].endedAt > 0);
  });

  it("is for this machine alone, read-only, and of no other site's business", async () => {
    const program = job({ dashboard: 0 });
    const url = await addressOf(program);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { port } = new URL(url);
    const status = async (page, options) => (await ask(new URL(page, url), options)).status;
    for (const host of [
      `evil.example:${port}`,
      "evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1",
    ])
      for (const page of ["/", "/events"])
        assert.equal(await status(page, { headers: { Host: host } }), 403, host);
    for (const host of [`localhost:${port}`, "LOCALHOST", `[::1]:${port}`])
      assert.equal(await status("/", { headers: { Host: host } }), 200, host);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      assert.equal(await status("/", { method }), 405, method);
    for (const page of ["/x", "/page.js", "/events/"]) assert.equal(await status(page), 404);
    for (const path of ["/", "/x"]) {
      const { headers } = await ask(new URL(path, url), {
        headers: { Origin: "http://evil.example" },
      });
      assert.match(headers["content-security-policy"], /^default-src 'none';.*connect-src 'self'/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith("access-control")),
        [],
      );
    }
    program.mark("go");
    await program.ended;
  });

  it("shows nothing without its token, if it has one", async () => {
    const program = job({ dashboard: { host: "0.0.0.0", port: 0, token: TOKEN } });
    const shown = await addressOf(program);
    assert.doesNotMatch(program.stderr, new RegExp(TOKEN));
    const url = `http://127.0.0.1:${new URL(shown).port}/`;
    const status = async (path, headers = {}) =>
      (await ask(new URL(path, url), { headers })).status;
    for (const path of ["/", "/events"]) {
      assert.equal(await status(path), 401);
      assert.equal(await status(`${path}?token=${TOKEN}x`), 401);
      assert.equal(await status(`${path}?token=`), 401);
      assert.equal(await status(path, { Authorization: `Bearer ${TOKEN.slice(1)}` }), 401);
    }
    assert.equal(await status(`/?token=${TOKEN}`), 200);
    assert.equal(await status("/", { Authorization: `Bearer ${TOKEN}` }), 200);
    program.mark("go");
    await program.ended;
  });

  it("gets another port if its own is in use, says so, and fails nothing", async () => {
    const taken = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.on("listening", resolve));
    const { port } = /** @type {net.AddressInfo} */ (taken.address());
    try {
      const program = job({ dashboard: port });
      const url = await addressOf(program);
      assert.notEqual(new URL(url).port, String(port));
      assert.match(program.stderr, new RegExp(`port ${port} is in use`));
      assert.equal((await ask(url)).status, 200);
      program.mark("go");
      assert.deepEqual((await program.ended).result.value, CAME);
    } finally {
      taken.close();
    }
  });

  it("fails nothing if there can be none, and says why", async () => {
    const dashboard = { host: "192.0.2.1", port: 0, token: TOKEN };
    const program = await run("dashboard/job.js", {
      args: [JSON.stringify({ dashboard }), "hands-off"],
    });
    assert.deepEqual(program.result.value, CAME);
    assert.match(program.stderr, /there is no dashboard: .*EADDRNOTAVAIL/);
  });

  it("holds up no end of a program, however it ends and whoever follows", async () => {
    for (const how of ["run", "exit"]) {
      const program = job({ dashboard: 0 }, how);
      const followers = [1, 2, 3].map(async () => new Follower(await addressOf(program)));
      const all = await Promise.all(followers);
      await all[0].until(hasCome);
      program.mark("go");
      assert.deepEqual((await program.ended).result.value, CAME);
      for (const follower of all) {
        await follower.ended;
        assert.deepEqual(follower.known.ends, ["end"], how);
      }
    }
  });

  it("is not loaded where nobody wants it", async () => {
    for (const options of [{}, { dashboard: false }]) {
      const { result, stderr } = await run("dashboard/job.js", {
        args: [JSON.stringify(options), "hands-off"],
        env:
          options.dashboard === false ? { SONIC_DASHBOARD: "0.0.0.0:1" } : { SONIC_DASHBOARD: "0" },
      });
      assert.deepEqual(result, { value: CAME, loaded: [] });
      assert.doesNotMatch(stderr, /dashboard/);
    }
  });

  it("is one for all pools and runs of a program that its environment asks for, and leaves nothing", {
    skip: NO_PROC,
  }, async () => {
    const program = start("dashboard/several.js", { env: { SONIC_DASHBOARD: "127.0.0.1:0" } });
    const url = await addressOf(program);
    const follower = new Follower(url);
    const known = await follower.until(
      ({ pools, locks, list }) =>
        Object.keys(pools).length === 2 && locks?.pending.length === 1 && list.length === 1,
    );
    const kinds = Object.values(known.pools).map(({ kind }) => kind);
    assert.deepEqual(kinds.sort(), ["MapReduce", "createPool"]);
    assert.deepEqual([known.locks.held[0].name, known.locks.pending[0].name], ["ledger", "ledger"]);
    assert.ok(known.locks.held[0].worker !== known.locks.pending[0].worker);
    const [{ message, work, data, worker }] = known.list;
    assert.deepEqual([message, work, data], ["bad data", "double", "'bad'"]);
    assert.ok(worker > 0);
    program.mark("go");
    await follower.ended;
    assert.deepEqual(follower.known.ends, ["idle"]);
    await assert.rejects(ask(url), /ECONNREFUSED|ECONNRESET/);
    program.mark("gone");
    const { result } = await program.ended;
    assert.deepEqual([result.failed, result.mapped, result.child], ["bad data", [2, 4, 6], "10"]);
    const prepare = (dir) => {
      for (const name of ["go", "gone"]) fs.writeFileSync(path.join(dir, name), "");
    };
    assert.deepEqual(result, (await run("dashboard/several.js", { prepare })).result);
    assert.ok(Object.values(follower.known.pools).every(({ endedAt }) => endedAt > 0));
    assert.equal(program.stderr.match(/dashboard at/g).length, 1);
  });

  it("says what is wrong with the variable", async () => {
    for (const value of ["x", "70000", "0.0.0.0:9000", ":"]) {
      const program = await run("dashboard/job.js", {
        args: ["{}", "hands-off"],
        env: { SONIC_DASHBOARD: value },
      });
      assert.doesNotMatch(program.stdout, /RESULT/, value);
      assert.match(program.stderr, /SONIC_DASHBOARD/, value);
    }
  });
});

"use strict";
/**
 * Promise: A worker runs in the master's environment, or in the one that the program set up with Node's cluster module.
 * Ports that a worker opens are its own.
 */
const assert = require("node:assert/strict");
const { once } = require("node:events");
const net = require("node:net");
const path = require("node:path");
const { describe, it } = require("node:test");
const { NO_PROC } = require("../support/processes");
const { run, FIXTURES, NODE_MAJOR } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const result = async (fixture, ...args) => (await run(fixture, { args })).result;

describe("cluster.setupPrimary before the call", () => {
  it("chooses the workers' program, arguments and node arguments", async () => {
    const response = {
      file: "exec-worker.js",
      main: "exec-worker.js",
      args: ["a", "--b"],
      execArgv: ["--no-warnings", "--stack-size=900"],
      doubled: 42,
      mine: "worker",
    };
    assert.deepEqual(await result("environment/exec-master.js"), [{ id: 1, data: 21, response }]);
  });

  it("chooses the workers' directory", async () => {
    const [master, worker] = await result("environment/cwd.js");
    assert.equal(worker, `${master}/inner`);
  });

  it("silences workers, whose output the master can then read", async () => {
    const program = await run("environment/silent.js");
    const { stdout, stderr } = program.result;
    assert.deepEqual(stdout, ["x".repeat(300_000), ...range(10).map((i) => `out ${i}`)]);
    assert.deepEqual(stderr, ["y".repeat(300_000), ...range(10).map((i) => `err ${i}`)]);
    assert.equal(program.lines.length, 1);
    assert.equal(program.stderr, "");
  });

  it("chooses the workers' stdio: pipes", async () => {
    assert.deepEqual(await result("environment/stdio.js"), {
      out: "heard to the worker",
      extra: "on the fifth",
      stderr: null,
    });
  });

  it("chooses the workers' stdio: a file, and no input", async () => {
    const program = await run("environment/stdio-file.js");
    assert.deepEqual(program.result, ["", "", "", "", ""]);
    assert.deepEqual(
      program.log("out.txt").sort(),
      range(5).map((i) => `out ${i}`),
    );
  });

  it("chooses the workers' stdio: what is no descriptor is an error, and nobody else's stream", async () => {
    const error = [
      "TypeError",
      "cluster.setupPrimary: stdio has an entry that a worker cannot inherit",
    ];
    assert.deepEqual(await result("environment/stdio-wrong.js"), Array(8).fill(error));
  });

  it("chooses structured clones: Map, Date, BigInt and cycles survive in events and messages", async () => {
    assert.deepEqual(await result("environment/advanced.js"), {
      count: 0,
      failed: [],
      inWorker: [],
      data: [],
      response: [],
      heard: [],
    });
  });

  it("chooses structured clones: of whole data and responses; what cannot be cloned fails where it was said", async () => {
    assert.deepEqual(await result("environment/advanced-bare.js"), {
      first: ["bigint", "10", "bigint", "20"],
      second: [true, [7], [1]],
      last: "last",
      failed: ["unclonable"],
      rejected: true,
    });
  });
});

describe("a worker", () => {
  it("shares the master's stdin, stdout, stderr, process group, session, preloads and environment", {
    skip: NO_PROC,
  }, async () => {
    const program = await run("environment/inherited.js", {
      nodeArgs: ["-r", path.join(FIXTURES, "environment", "preload.js")],
      stdin: "typed",
    });
    const { master, worker } = program.result;
    assert.equal(worker.input, "typed");
    assert.deepEqual(worker.group, master.group);
    assert.deepEqual([master.preloaded, worker.preloaded], ["yes", "yes"]);
    assert.deepEqual(worker.env, master.env);
    assert.ok(program.lines.includes("a worker's line on stdout"));
    assert.ok(program.stderr.includes("a worker's line on stderr"));
  });

  it("uses the compile cache that the master's program has turned on", async () => {
    const program = await run("environment/compile-cache.js");
    const [master, worker] = program.result;
    assert.equal(worker, master);
    if (NODE_MAJOR >= 24) assert.equal(path.basename(path.dirname(master)), "cache");
  });

  it("listens for a debugger on a port of its own", async () => {
    const free = await freePorts(3);
    for (const port of [0, free]) {
      const { master, workers } = await (
        await run("environment/inspected.js", { nodeArgs: [`--inspect=${port}`] })
      ).result;
      const ports = [master, ...workers];
      assert.ok(
        ports.every((number) => number > 0),
        `--inspect=${port}: ${ports}`,
      );
      assert.equal(new Set(ports).size, 3, `--inspect=${port}: ${ports}`);
      if (port !== 0) assert.deepEqual(ports.sort(), [port, port + 1, port + 2]);
    }
  });

  it("listens alone, on any free port when it asks for 0", async () => {
    const servers = await result("environment/listens.js");
    assert.deepEqual(servers.sort(), [
      [1, true, "worker 1"],
      [2, true, "worker 2"],
    ]);
  });

  for (const place of ["tcp", "options", "path", "udp"]) {
    it(`gets EADDRINUSE at a place that is taken, by the master or another worker: ${place}`, async () => {
      const came = Object.fromEntries(await result("environment/taken-port.js", place));
      assert.deepEqual([came.a, came.b], ["EADDRINUSE", "EADDRINUSE"]);
      assert.deepEqual([came.c, came.d], ["listens", "EADDRINUSE"]);
    });
  }

  it("sends and gets datagrams on a port of its own", async () => {
    assert.equal(await result("environment/datagrams.js"), "worker heard ping");
  });

  const places = {
    server: [4, "127.0.0.1", true],
    path: [-1, "left.sock", false],
    socket: ["udp4", "127.0.0.1", true],
  };
  for (const [what, place] of Object.entries(places)) {
    it(`is heard to listen, and ends when it is released though nobody closes it, as node's disconnect() has it: ${what}`, async () => {
      const program = await run("environment/left-listening.js", { args: [what] });
      assert.deepEqual(program.result, { response: "listens", heard: [[1, ...place]] });
      assert.deepEqual(program.log("closed.log"), ["closed"]);
    });
  }
});

/** The first of so many ports in a row that are free. */
async function freePorts(count) {
  // Below those that the system gives out: another program may be given one at any time.
  for (let port = 20_000 + (process.pid % 12_000); ; port += count) {
    const servers = range(count).map((i) => net.createServer().listen(port + i, "127.0.0.1"));
    const free = await Promise.all(
      servers.map((server) =>
        once(server, "listening").then(
          () => true,
          () => false,
        ),
      ),
    );
    for (const server of servers)
      if (server.listening) await new Promise((done) => server.close(done));
    if (free.every(Boolean)) return port;
  }
}

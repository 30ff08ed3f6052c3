"use strict";
/**
 * Promise: A pool with the option `listen` serves other programs of the same user too: `connectPool` gives each the same `Pool`.
 * Values, errors, limits and back-pressure are those of the pool. A client that dies loses what waits, and touches nobody else;
 * a pool's process that dies is told to every call. Nobody comes in without the token, and nothing is left when the pool is
 * closed.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { describe, it } = require("node:test");
const { Peer } = require("../fixtures/connect/peer");
const { NO_PROC } = require("../support/processes");
const { run, start } = require("../support/run");
const { version } = require("../../package.json");

const POSIX = process.platform === "win32" ? "sockets have no modes and owners there" : false;
const PROTOCOL = 2;
const HELLO = 1;

/** A program with a pool that listens, once it does. */
async function listening(options = {}, more = {}) {
  const pool = start("connect/pool.js", { args: [JSON.stringify(options)], ...more });
  await pool.makes("ready");
  return Object.assign(pool, {
    socket: path.join(pool.dir, "socket"),
    close() {
      pool.mark("close");
      return pool.ended;
    },
    lines: (name) => pool.read(name).split("\n").filter(Boolean),
  });
}

const client = (pool, scenario, ...more) =>
  run("connect/client.js", { args: [scenario, pool.socket, ...more] });
const clientOf = (pool, scenario, ...more) =>
  start("connect/client.js", { args: [scenario, pool.socket, ...more] });

/** What a scenario of one client reports; it says nothing else, and leaves nothing. */
async function reported(pool, scenario, ...more) {
  const outcome = await client(pool, scenario, ...more);
  const { result } = outcome;
  assert.equal(outcome.stderr, "", outcome.transcript);
  return result;
}

/** What a pool's program reports once it is closed. */
async function closed(pool) {
  const outcome = await pool.close();
  const { result } = outcome;
  assert.equal(outcome.stderr, "", outcome.transcript);
  assert.deepEqual(outcome.alive, [], outcome.transcript);
  const left = Object.keys(outcome.files).filter((name) => /^socket/.test(name));
  assert.deepEqual([left, outcome.tmp], [[], []]);
  return { ...result, log: (/** @type {string} */ name) => outcome.log(name) };
}

/** The same with a pool of its own. */
async function alone(scenario, options, ...more) {
  const pool = await listening(options);
  const result = await reported(pool, scenario, ...more);
  await closed(pool);
  return result;
}

/** How many sockets a process has; it opens and closes files all the time. */
function socketsOf({ pid }) {
  const open = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "closed by now";
    }
  });
  return open.filter((name) => name.startsWith("socket:")).length;
}
const soon = (pool, condition, what) => pool.until(condition, what);

describe("a client", () => {
  for (const options of [{}, { inProcess: true }]) {
    const where = options.inProcess ? "without workers" : "with workers";
    it(`has the methods of a pool, ${where}`, async () => {
      const result = await alone("works", options);
      const { answers, ids, tags, resized, each, ...rest } = result;
      assert.deepEqual(answers, {
        call: 42,
        pipeline: 4,
        args: 3,
        keyed: ["a", "b"],
        map: 3998000,
        settled: [{ status: "fulfilled", value: 1 }],
        stream: 0,
        inOrder: true,
        emitted: [3, 2, 1, 0],
        nothing: ["undefined", null],
        byMasterFn: 1,
        reduced: [200, 0],
        failing: [[], [[3, "RangeError"]]],
      });
      assert.deepEqual(rest, {
        kept: options.inProcess ? 1 : 2,
        closed: "ERR_SONIC_POOL_CLOSED",
        counts: { events: 4 },
      });
      assert.ok(each);
      assert.equal(ids.length, options.inProcess ? 1 : 2);
      assert.deepEqual(tags, Array(ids.length).fill([]));
      assert.equal(resized, options.inProcess ? 1 : 3);
    });

    it(`gets errors as in a pool: their class, their task, the stacks of the worker and of the call, ${where}`, async () => {
      const result = await alone("errors", options);
      assert.deepEqual(result, {
        name: [true, "no 7", { data: 7 }],
        stack: ["RangeError: no 7", "pool.js", "client.js", ...result.stack.slice(3)],
        task: { work: "fails", data: 7, attempts: 1 },
        worker: ["number", "number"],
        missed: true,
        mapped: ["no 8", 8],
        settled: [
          ["rejected", true, 1],
          ["rejected", true, 2],
        ],
        streamed: true,
        each: ["no 9", 9],
        late: ["ERR_SONIC_TASK_TIMEOUT", "never"],
        tried: 5,
      });
    });
  }

  it("sends and gets values as a pool does", async () => {
    assert.deepEqual(await alone("values"), {
      kinds: [
        "[object Uint8Array] true",
        "[object Uint8Array] false",
        "[object Float64Array] false",
        "[object Object] false",
      ],
      echoed: ["undefined", null, 0, -1.5, "", "é\u2028", true, [1, [2]], { a: { b: null } }],
      isLong: true,
      bytes: "0000",
      large: Array.from({ length: 20 }, (_, at) => at * 100000),
      view: true,
    });
  });

  it("sends and gets what structured clone can, where the pool is of that kind", async () => {
    const options = { serialization: "advanced" };
    assert.deepEqual(await alone("advanced", options), [5, [1], [1], "3"]);
  });

  it("is refused what the pool's own program is refused, at the program's line", async () => {
    const { codes, first, second, routed, stack, after } = await alone("refusals");
    assert.deepEqual(codes, [
      "ERR_SONIC_UNKNOWN_STAGE",
      "ERR_SONIC_UNKNOWN_STAGE",
      ...Array(3).fill("ERR_SONIC_INVALID_ARGUMENT"),
      ...Array(5).fill("ERR_SONIC_NO_WORKER"),
      "ERR_SONIC_INVALID_ARGUMENT",
      "TypeError",
    ]);
    assert.match(first, /^the pool has no stage "none"; it has same, double, /);
    assert.match(second, /by their names alone$/);
    assert.deepEqual([routed, stack, after], [[2], true, 1]);
  });

  it("aborts its own calls alone", async () => {
    const { thrown, ...rest } = await alone("aborts");
    assert.deepEqual(thrown, Array(5).fill("enough"));
    assert.deepEqual(rest, {
      other: "other",
      after: 10,
      replaced: 2,
      listeners: 0,
      late: "enough",
    });
  });

  it("leaves streams, maps and runs as in a pool", async () => {
    assert.deepEqual(await alone("left"), { first: true, thrown: "masterFn", after: 1 });
  });

  it("takes from an iterable only as fast as the pool, and as its own program reads", async () => {
    const { map, unread, taken, after } = await alone("ahead");
    assert.ok(map >= 2 && map <= 300, `${map} events were taken for two workers`);
    assert.ok(unread <= 600, `${unread} events were taken while 8 entries may be unread`);
    assert.deepEqual([taken, after], [true, 1]);
  });

  it("is told when the queue of the pool is full", async () => {
    const pool = await listening({ maxQueue: 2 });
    const full = clientOf(pool, "full");
    await full.makes("full");
    pool.mark("go");
    const { result } = await full.ended;
    assert.deepEqual(result, {
      codes: Array(2).fill("ERR_SONIC_QUEUE_FULL"),
      answers: [0, 1, 2, 3],
      after: 1,
    });
    await closed(pool);
  });

  it("exits by itself when it is idle, and the pool's program does not", async () => {
    const pool = await listening();
    assert.equal(await reported(pool, "idle"), 8);
    assert.equal(await reported(pool, "idle"), 8);
    const { answered } = await closed(pool);
    assert.equal(answered, 2);
  });

  it("can give up connecting, and is refused what is no option", async () => {
    const outcomes = await alone("signals");
    assert.deepEqual(
      outcomes.map(({ error }) => error.thrown || error.code),
      ["enough", "enough", "ERR_SONIC_INVALID_ARGUMENT", "ERR_SONIC_INVALID_ARGUMENT"],
    );
  });

  it("is disposed of like a pool", async () => {
    assert.equal(await alone("disposes"), "ERR_SONIC_POOL_CLOSED");
  });

  it("works in the workers of a program of its own, before their pool and in their events", async () => {
    const pool = await listening();
    const { result, stderr, alive } = await run("connect/workers.js", { args: [pool.socket] });
    assert.deepEqual([stderr, alive], ["", []]);
    assert.deepEqual(result, { own: 3, stage: 42, mapped: [2, 4] });
    await closed(pool);
  });
});

describe("a client that is killed", () => {
  for (const kind of ["map", "calls", "alone", "stream", "run"]) {
    it(`loses what waits, what runs ends unseen, and others are served: ${kind}`, {
      skip: NO_PROC,
    }, async () => {
      const pool = await listening();
      const other = clientOf(pool, "serves");
      await other.makes("connected");
      const before = socketsOf(pool);
      const victim = clientOf(pool, "leaves", kind);
      await soon(pool, () => pool.lines("begun.log").length === 2, "begun two events");
      await other.makes("busy");
      victim.child.kill("SIGKILL");
      await victim.ended;
      await other.makes("dropped");
      assert.equal(socketsOf(pool), before);
      pool.mark("go");
      await soon(pool, () => pool.lines("ended.log").length === 2, "ended two events");
      other.mark("go-on");
      const { result } = await other.ended;
      assert.deepEqual(result, { answer: "still", isAsBefore: true });
      const { log } = await closed(pool);
      assert.deepEqual([log("begun.log").length, log("ended.log").length], [2, 2]);
    });
  }

  it("has what runs end after its taskTimeout, and others get its place", async () => {
    const pool = await listening({ numWorkers: 1 });
    const victim = clientOf(pool, "leaves", "limited");
    await soon(pool, () => pool.lines("begun.log").length === 1, "begun an event");
    victim.child.kill("SIGKILL");
    await victim.ended;
    assert.equal(await reported(pool, "idle"), 8);
    const { log } = await closed(pool);
    assert.deepEqual([log("begun.log").length, log("ended.log").length], [1, 0]);
  });

  it("a hundred times leaves nothing open in the pool's process", { skip: NO_PROC }, async () => {
    const pool = await listening();
    const first = new Peer(pool.socket);
    await first.next(1);
    const before = socketsOf(pool);
    for (let round = 0; round < 100; round++) {
      const peer = new Peer(pool.socket);
      await peer.next(1);
      peer.send([HELLO, PROTOCOL, version, fs.readFileSync(`${pool.socket}.token`, "utf8"), []]);
      await peer.next(3);
      peer.send([2, 1, "same", 0, 0, 1, 0, 1]);
      peer.socket.destroy();
    }
    await soon(pool, () => socketsOf(pool) <= before, "closed all connections");
    assert.equal(await reported(pool, "idle"), 8);
    first.socket.destroy();
    await closed(pool);
  });
});

describe("a client that does not read", () => {
  for (const scenario of ["stopped", "stoppedCalls"]) {
    it(`holds up nobody else, and gets all in the end: ${scenario}`, { skip: POSIX }, async () => {
      const pool = await listening();
      const stopped = clientOf(pool, scenario);
      await stopped.makes("reading");
      stopped.child.kill("SIGSTOP");
      const works = await reported(pool, "works");
      assert.equal(works.answers.map, 3998000);
      stopped.child.kill("SIGCONT");
      const { result } = await stopped.ended;
      assert.equal(result, 400 * 100000);
      await closed(pool);
    });
  }
});

describe("a client that ends its stream and reads nothing", () => {
  it("keeps neither its descriptor nor the pool's process", { skip: NO_PROC }, async () => {
    const pool = await listening();
    const before = socketsOf(pool);
    const peer = new Peer(pool.socket);
    const token = fs.readFileSync(`${pool.socket}.token`, "utf8");
    peer.send([HELLO, PROTOCOL, version, token, []]);
    await peer.next(3);
    peer.socket.pause();
    // More than the system keeps for it.
    for (let id = 1; id <= 8; id++) peer.send([2, id, "large", 0, 0, 0, 0, 1_000_000]);
    await reported(pool, "watches");
    peer.socket.end();
    await soon(pool, () => socketsOf(pool) === before, "closed the connection");
    await closed(pool);
    peer.socket.destroy();
  });
});

describe("a client that says what it reads", () => {
  const enter = async (pool) => {
    const peer = new Peer(pool.socket);
    const token = fs.readFileSync(`${pool.socket}.token`, "utf8");
    peer.send([HELLO, PROTOCOL, version, token, []]);
    await peer.next(3);
    return peer;
  };
  const numbers = (count) => Array.from({ length: count }, (_, at) => at);

  it("gets no more entries than it may have unread", async () => {
    const pool = await listening();
    const peer = await enter(pool);
    const events = numbers(3000).map((at) => [9, 1, at, 0, 0, 0, 0, at]);
    peer.send([8, 1, "same", { maxResultsWaiting: 8 }, 0], ...events, [10, 1]);
    const entries = () => peer.messages.filter(([kind]) => kind === 10).length;
    const quiet = async (expected) => {
      while (entries() < expected) await peer.heard();
      // Long enough for whatever would come too.
      for (let round = 0; round < 50; round++) {
        peer.send([2, 10_000 + round, "same", 0, 0, 0, 0, 1]);
        await peer.next(5);
      }
      assert.equal(entries(), expected);
    };
    await quiet(8);
    peer.send([11, 1, 5]);
    await quiet(13);
    peer.send([11, 1, 3000]);
    while (entries() < 3000) {
      peer.send([11, 1, 8]);
      await peer.heard();
    }
    await peer.next(11);
    peer.socket.destroy();
    await closed(pool);
  });

  it("is not listened to while it leaves answers unread", async () => {
    const pool = await listening();
    const peer = await enter(pool);
    const padding = { args: "x".repeat(100_000) };
    peer.socket.pause();
    for (const at of numbers(300)) peer.send([2, at, "large", 0, 0, 0, 0, 100_000], [6, padding]);
    const { answered, sent } = await reported(pool, "watches");
    assert.ok(answered < 250, `${answered} of 300 calls were answered for nobody to read`);
    assert.equal(sent, true);
    peer.socket.resume();
    for (const _ of numbers(300)) assert.equal((await peer.next(5))[2], 3);
    peer.socket.destroy();
    await closed(pool);
  });
});

describe("a pool that is killed", () => {
  for (const options of [{}, { inProcess: true }]) {
    it(`is told to every call of a client, once: ${JSON.stringify(options)}`, {
      skip: POSIX,
    }, async () => {
      const pool = await listening(options);
      const waiting = clientOf(pool, "gone");
      await waiting.makes("waiting");
      await soon(pool, () => pool.lines("begun.log").length >= 2, "begun two events");
      process.kill(pool.pid, "SIGKILL");
      const { result, stderr } = await waiting.ended;
      assert.equal(stderr, "");
      const gone = "ERR_SONIC_POOL_GONE";
      assert.deepEqual(result, {
        codes: Array(5).fill(gone),
        later: Array(4).fill(gone),
        thrown: gone,
        workers: [],
        closed: {},
      });
      await pool.ended;
    });
  }
});

describe("a pool that ends", () => {
  it("tells its clients why, if its workers cannot be replaced", async () => {
    const pool = await listening();
    pool.mark("broken");
    const { codes, later, closed: end } = await reported(pool, "lost");
    assert.deepEqual(codes.slice(0, 2), Array(2).fill("ERR_SONIC_WORKER_EXIT"));
    assert.deepEqual([...codes.slice(2), later], Array(3).fill("ERR_SONIC_WORKER_START"));
    assert.deepEqual(end, {});
    await soon(pool, () => !fs.existsSync(pool.socket), "removed its socket");
    const { alive, files } = await pool.close();
    assert.deepEqual([alive, Object.keys(files).sort()], [[], ["broken", "close", "ready"]]);
  });

  it("leaves nothing where its program exits", async () => {
    const pool = await listening();
    pool.mark("exit");
    const { code, files } = await pool.ended;
    assert.deepEqual([code, Object.keys(files).sort()], [0, ["exit", "ready"]]);
  });
});

describe("a pool that closes", () => {
  it("need not wait for its clients", async () => {
    const pool = await listening();
    const waiting = clientOf(pool, "stops", "pool");
    await waiting.makes("busy");
    pool.mark("abort");
    // Its directory goes with it.
    const [{ result }] = await Promise.all([waiting.ended, closed(pool)]);
    assert.deepEqual(result, Array(6).fill("the pool has enough"));
  });

  it("need not wait, where it is a client's, and others are served", async () => {
    const pool = await listening();
    assert.deepEqual(
      await reported(pool, "stops", "client"),
      Array(6).fill("the client has enough"),
    );
    pool.mark("go");
    assert.equal(await reported(pool, "idle"), 8);
    await closed(pool);
  });

  it("ends what its clients have handed over, refuses what is new, and leaves nothing", async () => {
    const pool = await listening();
    const waiting = clientOf(pool, "closing");
    await waiting.makes("waiting");
    await soon(pool, () => pool.lines("begun.log").length === 2, "begun two events");
    const over = closed(pool);
    await waiting.makes("refused");
    assert.equal(fs.existsSync(pool.socket), false);
    pool.mark("go");
    const { result, stderr } = await waiting.ended;
    assert.equal(stderr, "");
    const code = "ERR_SONIC_POOL_CLOSED";
    assert.deepEqual(result, {
      code,
      answers: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      mapped: 100,
      rest: 4,
      later: code,
    });
    await over;
  });
});

describe("a socket", () => {
  const refused = async (options) => (await run("connect/pool.js", options)).result.error;
  const listenOn = (socket) => ({ args: [JSON.stringify({ listen: socket, numWorkers: 1 })] });

  it("and its token are of their owner alone", { skip: POSIX }, async () => {
    const pool = await listening();
    const modes = [pool.socket, `${pool.socket}.token`].map(
      (file) => fs.statSync(file).mode & 0o777,
    );
    assert.deepEqual(modes, [0o600, 0o600]);
    assert.match(fs.readFileSync(`${pool.socket}.token`, "utf8"), /^[0-9a-f]{64}$/);
    await closed(pool);
  });

  it("that a killed pool has left is replaced", { skip: POSIX }, async () => {
    const dead = await listening();
    // Its directory goes with it.
    const kept = path.join(dead.root, "kept");
    process.kill(dead.pid, "SIGSTOP");
    fs.renameSync(dead.socket, kept);
    const prepare = (dir) => fs.renameSync(kept, path.join(dir, "socket"));
    process.kill(dead.pid, "SIGKILL");
    const pool = await listening({}, { prepare });
    assert.equal(await reported(pool, "idle"), 8);
    await closed(pool);
    await dead.ended;
  });

  it("on which somebody listens is not taken away", async () => {
    const pool = await listening();
    const { code, message } = await refused(listenOn(pool.socket));
    assert.equal(code, "ERR_SONIC_LISTEN");
    assert.match(message, /^options\.listen: .*socket: somebody listens there already: end that/);
    assert.equal(await reported(pool, "idle"), 8);
    await closed(pool);
  });

  it("takes the place of no other file", { skip: POSIX }, async () => {
    const prepare = (dir) => fs.writeFileSync(path.join(dir, "socket"), "mine");
    const outcome = await run("connect/pool.js", { prepare });
    const { code, message } = outcome.result.error;
    assert.deepEqual([code, outcome.files.socket], ["ERR_SONIC_LISTEN", "mine"]);
    assert.match(message, /there is another file: name a path where there is none/);
    assert.deepEqual(outcome.alive, []);
  });

  it("has a path that is not too long, in a folder that exists", { skip: POSIX }, async () => {
    const long = await refused(listenOn(`/tmp/${"a".repeat(120)}`));
    assert.deepEqual([long.code, long.type], ["ERR_SONIC_INVALID_ARGUMENT", "RangeError"]);
    assert.match(long.message, /^options\.listen must be .* has 125: use a shorter one/);
    const nowhere = await refused(listenOn("/nowhere/at/all"));
    assert.equal(nowhere.code, "ERR_SONIC_LISTEN");
    assert.match(nowhere.message, /^options\.listen: .*\/nowhere\/at\/all/);
    const none = await refused(listenOn(7));
    assert.equal(none.message, "options.listen must be the path of a socket, got 7");
  });

  it("on which nobody listens is named to who connects", { skip: POSIX }, async () => {
    const missing = await run("connect/client.js", { args: ["refused", "/tmp/nobody-listens"] });
    assert.equal(missing.result.code, "ERR_SONIC_CONNECT");
    assert.match(missing.result.message, /\/tmp\/nobody-listens: there is no such socket: start/);
    const pool = await listening();
    fs.renameSync(pool.socket, `${pool.socket}-2`);
    process.kill(pool.pid, "SIGKILL");
    const dead = await run("connect/client.js", { args: ["refused", `${pool.socket}-2`] });
    assert.equal(dead.result.code, "ERR_SONIC_CONNECT");
    await pool.ended.catch(() => {});
  });
});

describe("what speaks to a socket", () => {
  const tokenOf = (pool) => fs.readFileSync(`${pool.socket}.token`, "utf8");

  /** What the pool says to a peer before the connection ends. */
  async function answerTo(pool, hello) {
    const peer = new Peer(pool.socket);
    assert.deepEqual(await peer.next(1), [1, PROTOCOL, version]);
    hello(peer);
    await peer.closed;
    return peer.messages;
  }

  it("is let in with the token alone, and only if it has the same version", async () => {
    const pool = await listening();
    const token = tokenOf(pool);
    const wrong = [
      [HELLO, PROTOCOL, version, "f".repeat(64), []],
      [HELLO, PROTOCOL, version, token.slice(1), []],
      [HELLO, PROTOCOL, version],
      [HELLO, PROTOCOL + 1, version, token, []],
      [HELLO, PROTOCOL, "0.0.0", token, []],
      [2, 1, "same", 0, 0, 0, 0, 1],
    ];
    const answers = [];
    for (const hello of wrong) answers.push(...(await answerTo(pool, (peer) => peer.send(hello))));
    assert.deepEqual(
      answers.map(([kind, code]) => [kind, code]),
      Array(6).fill([2, "ERR_SONIC_CONNECT"]),
    );
    const reasons = answers.map(([, , message]) => message.replace(/^the pool refuses it: /, ""));
    assert.deepEqual(reasons, [
      ...Array(3).fill("its token is another"),
      `its package has the version ${version} (protocol ${PROTOCOL + 1}), and the pool's has ${version} (protocol ${PROTOCOL})`,
      `its package has the version 0.0.0 (protocol ${PROTOCOL}), and the pool's has ${version} (protocol ${PROTOCOL})`,
      "it has not said who it is",
    ]);
    const peer = new Peer(pool.socket);
    peer.send([HELLO, PROTOCOL, version, token, []], [2, 7, "double", 0, 0, 0, 0, 21]);
    const [, encoding, names] = await peer.next(3);
    assert.deepEqual([encoding, names.slice(0, 2)], ["bytes", ["same", "double"]]);
    assert.deepEqual(await peer.next(5), [5, 7, 0, 42]);
    peer.send([2, 8, "fails", 0, 0, 0, 0, 1]);
    const [, id, attempts, , pid, format, error] = await peer.next(7);
    assert.deepEqual([id, attempts, format, error.message], [8, 1, 0, "no 1"]);
    assert.ok(pool.alive().includes(pid));
    peer.socket.destroy();
    await closed(pool);
  });

  it("costs its own connection alone if it does not keep to the protocol, before and after the hello", async () => {
    const pool = await listening();
    const token = tokenOf(pool);
    const length = (bytes) => {
      const head = Buffer.alloc(8);
      head.writeUInt32LE(bytes, 0);
      return head;
    };
    const text = (content, rest = 0) => {
      const head = length(4 + content.length + rest);
      head.writeUInt32LE(content.length, 4);
      return Buffer.concat([head, Buffer.from(content), Buffer.alloc(rest)]);
    };
    const garbage = [
      Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      Buffer.alloc(4096, 255),
      length(0),
      length(0xffffffff),
      length(70_000),
      text("{"),
      text("7"),
      text("[7]"),
      text("[[]]"),
      text('[["__proto__",1,2,3,4,5,6]]'),
      text('[{"__proto__":7}]'),
      Buffer.concat([length(4), Buffer.from([9, 0, 0, 0])]),
    ];
    for (const bytes of garbage) await answerTo(pool, (peer) => peer.socket.write(bytes));
    const later = [
      // After the hello a long frame may still come.
      ...garbage.filter((bytes) => bytes.readUInt32LE(0) < 70_000 || bytes[0] === 255),
      text('[[2,1,"same",0,0,0,3,100]]', 99),
      text('[[2,1,"same",0,0,0,2,4]]', 4),
      text('[[2,1,"same",0,0,0,4,4]]', 4),
      text('[[2,1,"same",0,0,0,9,4]]', 4),
      text('[[2,1,"same",0,0,0,3,-1]]', 4),
      text("[[99]]"),
      text("[[14,5,1,0]]"),
      text('[[14,"{",1,0]]'),
      text('[[14,"{}",1,0]]'),
      text('[[14,"{\\"id\\":1,\\"ask\\":{\\"op\\":\\"none\\"}}",1,0]]'),
      text('[[7,1,"same",0,0],[7,1,"same",0,0]]'),
      text('[[8,1,"same",0,0],[8,1,"same",0,0]]'),
    ];
    for (const bytes of later) {
      await answerTo(pool, (peer) => {
        peer.send([HELLO, PROTOCOL, version, token, []]);
        peer.socket.write(bytes);
      });
    }
    const strange = [
      [2, 1, "none", 0, 0, 0, 0, 1],
      [2, 2, { toString: 7 }, 0, 0, 0, 0, 1],
      [2, 3, "same", { nothing: 1 }, 0, 0, 0, 1],
      [2, 4, "same", 7, 7, 7, 0, 1],
      [2, 5, "same", { retries: { on: [1] } }, 0, 0, 0, 1],
      [3, 6, "none", 0, 0, 0, 1],
      [5, 7, -1],
      [4, 8],
      [6],
      [9, 9, 9, 0, 0, 0, 0, 1],
      [10, 9],
      [11, 9, 1e9],
      [12, 9],
      [13, 9],
      [7, 10, "none", 0, 0],
      [8, 11, "none", { order: 7 }, 0],
      [8, 12, "same", 0, 0],
      [9, 12, 0, 1, { tags: 7 }, 0, 0, 1],
      [9, 12, 1, 1, 0, 1, 0, { data: 7, more: 1 }],
      [11, 12, "many"],
      [10, 12],
      [2, 99, "double", 0, 0, 0, 0, 1],
    ];
    const peer = new Peer(pool.socket);
    peer.send([HELLO, PROTOCOL, version, token, []], ...strange);
    for (;;) if ((await peer.next(5))[1] === 99) break;
    peer.socket.destroy();
    assert.equal(await reported(pool, "idle"), 8);
    await closed(pool);
  });

  it("has some seconds to say who it is", async () => {
    const pool = await listening();
    const messages = await answerTo(pool, (peer) => peer.socket.write(Buffer.from([1, 2])));
    assert.match(messages[0][2], /it has not said who it is$/);
    await closed(pool);
  });

  it("is not sent the token unless it is a pool", { skip: POSIX }, async () => {
    const pool = await listening();
    const served = [];
    const server = net.createServer((socket) => {
      socket.on("data", (bytes) => served.push(bytes));
      socket.on("error", () => {});
      socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const file = path.join(pool.dir, "other");
    fs.writeFileSync(`${file}.token`, "a secret");
    await new Promise((resolve) => server.listen(file, () => resolve(undefined)));
    const { result } = await run("connect/client.js", { args: ["refused", file] });
    assert.equal(result.code, "ERR_SONIC_CONNECT");
    assert.deepEqual(served, []);
    server.close();
    await closed(pool);
  });
});

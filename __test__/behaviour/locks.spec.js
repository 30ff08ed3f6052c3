"use strict";
/**
 * Promise: `locks` are the Web Locks of the specification, between two workers, between a worker and the master, and within one process:
 * modes, order, `ifAvailable`, `steal`, signals, callbacks that throw, odd names, `query`. A lock is free when its holder's callback has
 * ended or its process is dead, and then the next has it. Tokens rise over all of it. A client of a pool takes part.
 */
const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const path = require("node:path");
const { run, start } = require("../support/run");

const ended = async (file, args) => {
  const program = await run(`locks/${file}`, { args });
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};

const NOT = "not available";

/** What the scenarios of `sides.js` come to, whatever the sides are. @type {Record<string, [string, any]>} */
const EXPECTED = {
  "excludes another, which has it next and with a later token": [
    "excludes",
    {
      isEarly: false,
      values: ["1 done", "2 done"],
      order: ["+1", "-1", "+2", "-2"],
      isLater: true,
    },
  ],
  "is shared by those that ask for that, and a writer waits for its turn and no longer": [
    "shares",
    {
      isEarly: false,
      hasReader: false,
      values: ["s1", "s2", "s3", "s4", "s5"].map((id) => `${id} done`),
    },
  ],
  "is had at once or not at all with ifAvailable": ["ifAvailable", [NOT, NOT, "i4 done"]],
  "is not available while another waits for it": ["ifAvailableBehindOthers", NOT],
  "may be stolen, before all that wait": [
    "steals",
    { error: "AbortError", isLost: true, isEarly: false, values: ["t3 done", "t2 done"] },
  ],
  "is not waited for any more once the signal is aborted, which means nothing to a holder": [
    "signals",
    {
      error: { thrown: "g2 aborted" },
      hasRun: false,
      values: ["g1 done", "g3 done"],
      isLost: false,
    },
  ],
  "is free when the callback throws, at once or later": [
    "fails",
    ["f0 failed", "h0 done", "f1 failed", "h1 done"],
  ],
  "may be held by several up to its limit, on which all agree": [
    "limits",
    {
      isEarly: false,
      errors: [
        ["ERR_SONIC_LOCK_LIMIT", "RangeError"],
        ["ERR_SONIC_LOCK_LIMIT", "RangeError"],
      ],
      values: ["l1 done", "l2 done", "l3 done"],
    },
  ],
  "has any name": ["names", { available: [], hasAll: true }],
};

const SIDES = {
  "between two workers": "a,b",
  "between the master and a worker": "master,a",
  "between a worker and the master": "a,master",
  "within a worker": "a,a",
  "within the master": "master,master",
};

for (const [title, sides] of Object.entries(SIDES)) {
  describe(`a lock ${title}`, () => {
    let results;
    before(async () => {
      results = (await ended("sides.js", [sides])).result;
    });

    for (const [promise, [scenario, expected]] of Object.entries(EXPECTED)) {
      it(promise, () => assert.deepEqual(results[scenario], expected));
    }

    it("is shown by query with who holds it and who waits, and then no more", () => {
      const [one, two] = sides.split(",");
      const typeOf = (side, type) => (side === "master" ? "undefined" : type);
      assert.deepEqual(results.queries, {
        modes: ["exclusive", "shared"],
        pids: [0, one === two ? 0 : 1],
        hasClients: ["string", one === two],
        areWorkers: [typeOf(one, "number"), typeOf(two, "number")],
        haveEvents: [typeOf(one, "number"), typeOf(two, "number")],
        left: 0,
      });
    });
  });
}

/** What a scenario of `program.js` reports. */
const program = async (scenario, { writes = false } = {}) => {
  const outcome = await run("locks/program.js", { args: [scenario] });
  if (!writes) assert.equal(outcome.stderr, "", outcome.transcript);
  assert.equal(outcome.code, 0, outcome.transcript);
  assert.deepEqual(outcome.alive, [], outcome.transcript);
  return outcome.result;
};

describe("a lock", () => {
  it("is the next request's when its holder's process dies, however that dies, and tokens rise", async () => {
    const { results, left, rise } = await program("deaths", { writes: true });
    const EXIT = "ERR_SONIC_WORKER_EXIT";
    assert.deepEqual(results, {
      killed: ["next-killed", EXIT],
      exits: ["next-exits", EXIT],
      aborts: ["next-aborts", EXIT],
      throws: ["next-throws", EXIT],
      outOfMemory: ["next-outOfMemory", EXIT],
      hangs: ["next-hangs", "ERR_SONIC_TASK_TIMEOUT"],
    });
    assert.deepEqual([left, rise], [0, true]);
  });

  it("has a later token at each grant, whoever has it, with and without others that wait", async () => {
    assert.deepEqual(await program("tokens"), { count: 30, rise: true });
  });

  it("is held until its callback has ended, also after the event is answered", async () => {
    assert.deepEqual(await program("leaves"), { answer: "left", refused: null, later: "2" });
  });

  it("keeps what it guards whole: 500 changes of a file by three processes are 500", async () => {
    assert.equal(await program("counts"), 500);
  });

  it("may be asked for inside another, by many events at once, without a false deadlock", async () => {
    assert.deepEqual(await program("nested"), ["both"]);
  });

  it("that waits in a circle of requests is refused to the youngest, and the other goes on", async () => {
    const { answers, refused, names, message } = await program("deadlock");
    assert.deepEqual([answers, refused, names], [1, ["ERR_SONIC_DEADLOCK"], true], message);
    assert.match(message, /worker \d+ \(pid \d+, event \d+\)/);
  });

  it("may be used at module level, in masterFn, in stages and in reduceFn", async () => {
    const { levels, parts, tokens } = await program("everywhere");
    assert.deepEqual(levels, ["master", "worker", "worker"]);
    assert.deepEqual([parts, tokens], [["masterFn", 8, "reduceFn"], 6]);
  });

  it("is of one program: a pool's locks are the program's own", async () => {
    assert.deepEqual(await program("same"), [true, true]);
  });
});

describe("an event that is aborted", () => {
  const lines = [{ isTold: true, waits: "AbortError" }, "AbortError"];

  it("waits for no lock any more, and is told so by the signals of those that it holds", async () => {
    const result = await program("aborted");
    assert.deepEqual(result, { lines, after: "2", beside: { value: "beside" }, hasRun: false });
  });

  it("does the same in the process of its pool", async () => {
    assert.deepEqual(await program("inProcess"), { lines, both: "both" });
  });
});

describe("a client of a pool", () => {
  /** What a client does with a pool's program, and what that reports. */
  async function withPool(scenario, meanwhile = async (_client, _pool) => {}) {
    const pool = start("locks/listening.js");
    await pool.makes("ready");
    const client = start("locks/client.js", { args: [scenario, path.join(pool.dir, "socket")] });
    await meanwhile(client, pool);
    const mine = await client.ended;
    assert.deepEqual(mine.alive, [], mine.transcript);
    // Workers of a program that was killed end a moment after it.
    if (scenario === "poolDies") return { mine, theirs: await pool.ended };
    pool.mark("close");
    const theirs = await pool.ended;
    assert.deepEqual(theirs.alive, [], theirs.transcript);
    return { mine, theirs };
  }

  it("takes part in the locks of the pool's program and in what that shares, but has no counters", async () => {
    const { mine, theirs } = await withPool("works");
    assert.deepEqual(mine.result, {
      refused: null,
      own: "a",
      holders: ["a"],
      ended: ["held", "number"],
      rise: true,
      updated: [5, "stage"],
      read: [5, "stage"],
      notOwn: true,
      places: [0, 1],
      counter: "ERR_SONIC_COUNTER_REMOTE",
      areSame: true,
      once: 1,
    });
    assert.equal(theirs.result.left, 0);
  });

  it("loses its locks when it closes the pool", async () => {
    const { mine, theirs } = await withPool("closes");
    const code = "ERR_SONIC_POOL_CLOSED";
    assert.deepEqual(mine.result, { code, isAborted: true, later: code });
    assert.equal(theirs.result.left, 0);
  });

  it("loses its locks when the pool's process dies", async () => {
    const { mine } = await withPool("poolDies");
    const code = "ERR_SONIC_POOL_GONE";
    assert.deepEqual(mine.result, { code, isAborted: true, later: code });
  });

  it("leaves no lock behind when it is killed", async () => {
    const { theirs } = await withPool("isKilled", async (client) => {
      await client.makes("holds");
      process.kill(client.pid, "SIGKILL");
    });
    assert.equal(theirs.result.left, 0);
  });

  it("is not kept alive by a lock that it holds", async () => {
    const { mine, theirs } = await withPool("idle");
    assert.equal(mine.result, "holds");
    assert.equal(theirs.result.left, 0);
  });
});

describe("statistics", () => {
  const statistics = async (...args) => {
    const { result, code, transcript } = await run("locks/statistics.js", { args });
    assert.equal(code, 0, transcript);
    return result;
  };

  it("of a pool tell how often a lock was granted, and how long was waited for it, once one was used", async () => {
    const { isFirst, locks } = await statistics();
    assert.ok(isFirst);
    const [{ wait, held, ...ledger }] = locks;
    assert.deepEqual([locks.length, ledger], [1, { name: "ledger", granted: 2, waited: 1 }]);
    assert.ok(0 <= wait.p50 && wait.p50 <= wait.p99 && wait.p99 <= wait.max && wait.max > 0);
    assert.ok(held > 0);
  });

  it("of a run do, and so does its report", async () => {
    const { locks, isDrawn } = await statistics("run");
    assert.deepEqual([locks.length, locks[0].name, locks[0].granted], [1, "ledger", 1]);
    assert.ok(isDrawn);
  });
});

"use strict";
/**
 * Promise: workers of a pool may differ. An event runs on a worker that has all of its tags, one without tags on none that is
 * exclusive, whatever crashes or is tried again; events of one key run one at a time, in order, in one worker. Busy workers
 * hold up nobody else's events. What no worker will ever run is refused at once, or fails, with the tag.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (file, scenario) => {
  const program = await run(`tags/${file}`, { args: [scenario] });
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};
const pool = async (scenario) => (await ended("pool.js", scenario)).result;
const call = async (scenario) => (await ended("map-reduce.js", scenario)).result;
const all = (value, count = 50) => Array(count).fill(value);

describe("a group of workers", () => {
  it("has its tags, environment and options of Node, and leaves the package's variables alone", async () => {
    const { tags, gpu, cpu } = await pool("groups");
    assert.deepEqual(tags, [["gpu"], ["cpu", "x"], ["cpu", "x"]]);
    const options = ["--no-warnings", "--stack-trace-limit=33"];
    assert.deepEqual(gpu, { group: "gpu", more: "more", options, isWorker: true });
    assert.deepEqual([cpu.group, cpu.more, cpu.isWorker], ["cpu", undefined, true]);
    assert.notDeepEqual(cpu.options, options);
  });

  it("may run the work of each alone, those that come later too", async () => {
    assert.deepEqual(await pool("each"), {
      all: ["gpu", "cpu", "cpu"],
      results: ["cpu", "cpu"],
      noted: ["no", "yes", "yes"],
      unknown: "ERR_SONIC_NO_WORKER",
    });
  });

  it("may be had by MapReduce, with limits of its own", async () => {
    const { counts, isOne, areReplaced } = await call("whole");
    assert.deepEqual([counts, isOne, areReplaced], [[50, 50, 0], true, true]);
  });

  it("may be had by a stream", async () => {
    assert.deepEqual(await call("streamed"), { gpu: 50, all: 100 });
  });

  it("says how many workers there are: another number rejects", async () => {
    const [same, ...others] = (await call("numWorkers")).outcomes;
    assert.equal(same.value, "done");
    for (const [at, name] of ["options.numWorkers is 2", "args.numWorkers is 4"].entries()) {
      const { code, type, message } = others[at].error;
      assert.deepEqual([code, type], ["ERR_SONIC_INVALID_ARGUMENT", "RangeError"]);
      assert.match(
        message,
        new RegExp(`^${name}, and the groups of options.workers have 3 workers`),
      );
    }
  });

  it("leaves it to the pool which worker gets an event", async () => {
    const [looks, taken, plain] = (await call("byHand")).outcomes;
    assert.equal(looks.error.code, "ERR_SONIC_NO_WORKER_IDS");
    for (const { error } of [taken, plain]) {
      assert.equal(error.code, "ERR_SONIC_INVALID_ARGUMENT");
      assert.match(error.message, /takes worker ids out of this queue itself/);
    }
  });
});

describe("an event with tags", () => {
  it("runs on workers that have them, however it is handed over, and others on none that is exclusive", async () => {
    const result = await pool("routes");
    for (const way of ["call", "map", "stream"]) assert.deepEqual(result[way], all("gpu"));
    assert.deepEqual(result.untagged, all("cpu"));
    assert.deepEqual(result.run, [50, 150]);
    assert.deepEqual(result.all, ["cpu", "gpu"]);
  });

  it("that no worker has is refused at once, and so is what makes no sense", async () => {
    const { refused, codes, busy } = await pool("wrong");
    const messages = refused.map(({ code, message }) => [code, message]);
    const cannot = "no worker can run this event: no worker has";
    const wrong = "ERR_SONIC_INVALID_ARGUMENT";
    assert.deepEqual(messages, [
      ["ERR_SONIC_NO_WORKER", `${cannot} the tag "tpu"; the workers have "cpu" and "gpu"`],
      ["ERR_SONIC_NO_WORKER", `${cannot} "cpu" and "gpu" together`],
      [wrong, 'options.tags must be an array of strings of 1 to 200 characters, got "gpu"'],
      [wrong, "options.tags must be an array of strings of 1 to 200 characters, got 5 in it"],
      [wrong, "options.key must be a string or a finite number, got an object"],
      [wrong, "options.key must be a string or a finite number, got NaN"],
      [wrong, "options.spread must be true or false, got 1"],
    ]);
    const unknown = ["ERR_SONIC_NO_WORKER", messages[0][1]];
    const urgent = "routing.urgent is not an option; there are tags, key, spread, priority";
    assert.deepEqual(codes, [unknown, unknown, unknown, [wrong, urgent], unknown]);
    assert.equal(busy, "gpu");
  });

  it("whose last worker is given up fails, whether it waits or is tried again, and the others go on", async () => {
    const { codes, message, entries, later, others, workers } = await pool("givenUp");
    assert.deepEqual(codes, ["ERR_SONIC_WORKER_EXIT", ...all("ERR_SONIC_NO_WORKER", 101)]);
    assert.deepEqual(entries, all("ERR_SONIC_NO_WORKER", 100));
    assert.match(message, /the last worker with "doomed" was given up$/);
    assert.equal(later.code, "ERR_SONIC_NO_WORKER");
    assert.deepEqual([others, workers], ["other", 1]);
  });

  it("is tried again where it belongs, after an error and after a crash", async () => {
    const { answers, died } = await pool("retries");
    assert.deepEqual([answers, died], [all("gpu", 10), all("gpu", 3)]);
  });

  it("waits only for its own workers, and masterFn goes on", async () => {
    assert.deepEqual(await pool("busy"), { answers: 300 });
  });

  it("is stopped as any other", async () => {
    assert.deepEqual(await pool("stops"), { names: ["AbortError"], after: "gpu" });
  });
});

describe("a key", () => {
  it("has its events run one at a time, in order, in one worker, though workers are killed", async () => {
    const program = await ended("pool.js", "keys");
    assert.equal(program.result.answered, 1000);
    const keys = new Map();
    let again = 0;
    for (const line of program.log("keyed.log")) {
      const [what, key, at, worker] = line.split(" ");
      const known = keys.get(key) || { workers: new Set(), running: undefined, ended: -1 };
      keys.set(key, known);
      known.workers.add(worker);
      if (what === "begin") {
        // An event whose worker was killed begins again, also when only its answer was missing.
        const isAgain = at === (known.running || String(known.ended));
        if (isAgain) again++;
        else {
          assert.equal(known.running, undefined, `${key}: ${at} beside another`);
          assert.equal(Number(at), known.ended + 1, `key ${key}`);
        }
        known.running = at;
      } else {
        assert.equal(known.running, at, `key ${key}`);
        known.running = undefined;
        known.ended = Number(at);
      }
    }
    assert.ok(again <= 2, `${again} events ran again, and 2 workers were killed`);
    assert.equal(keys.size, 50);
    const workers = new Set();
    for (const [key, known] of keys) {
      assert.deepEqual([known.workers.size, known.ended], [1, 19], `key ${key}`);
      workers.add([...known.workers][0]);
    }
    assert.equal(workers.size, 4);
  });

  it("is held through the pause before an event is tried again", async () => {
    const program = await ended("pool.js", "keyHolds");
    assert.deepEqual(program.log("ran.log"), ["a", "a", "b", "b", "c", "c"]);
  });

  it("that is spread runs several at once", async () => {
    assert.deepEqual(await pool("spread"), { answers: ["cpu", "cpu"] });
  });
});

describe("a stage", () => {
  const stages = async (scenario) => (await ended("stages.js", scenario)).result;
  const wrong =
    "what the key of the stage returns must be a string or a finite number, got an object";

  it("of a pool may say where it runs, by tags and by a key that is made of the data", async () => {
    const { wrong: errors, ...others } = await stages("pool");
    assert.deepEqual(others, {
      called: ["gpu"],
      own: ["cpu"],
      mapped: [true, true],
      streamed: [true, true],
      ran: [true, true],
      pipeline: [1, "gpu"],
    });
    assert.deepEqual(errors, [
      ["TypeError", wrong],
      ["TypeError", "no key"],
      ["TypeError", wrong],
      [
        "TypeError",
        'only the first stage of a pipeline may have the option key: give it to that, not to "counted"',
      ],
    ]);
  });

  it("may do so without workers too", async () => {
    assert.deepEqual(await stages("inProcess"), [
      [1, 2],
      ["Error", 'no worker has the tag "gpu"'],
      ["TypeError", wrong],
    ]);
  });

  it("of a worker file may do so by tags, and have a time of its own; a key is refused", async () => {
    const [groups, slow, late, keyed] = await stages("file");
    assert.deepEqual([groups, slow, late[0]], [["gpu"], "ended", "Error"]);
    assert.match(late[1], /timed out|taskTimeout|ran longer/);
    assert.match(
      keyed[1],
      /stages-keyed\.js has a stage "counted" with the option key, which is a function that the master cannot run/,
    );
  });

  it("of a MapReduce may do so, whose queue has no ids of workers then", async () => {
    const [byKey, inGroup, ids] = await stages("call");
    assert.deepEqual([byKey, inGroup], [[true, true], ["gpu"]]);
    assert.match(ids[1], /this run's queue has no worker ids/);
  });
});

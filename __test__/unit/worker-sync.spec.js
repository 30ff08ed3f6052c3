"use strict";
/**
 * Promise: A worker knows which event asks for a lock: the one whose functions run, or the one that what it waits for belongs to, from the
 * very first lock of the process on; also if others run beside it. Code that an event has left behind belongs to none.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const cluster = require("../../lib/shared/cluster");
const copies = require("../../lib/shared/copies");
const { inside } = require("../../lib/shared/site");
const { leave } = require("../../lib/shared/sync/context");
const { Jobs } = require("../../lib/worker/jobs");
const { WorkerSync } = require("../../lib/worker/sync");
const { fakeCore, turn } = require("../support/wire");

/** A worker without a process, which runs so many events at once, for as long as `work` takes. */
async function inWorker(concurrency, work) {
  /** @type {any[]} */
  const asked = [];
  const native = { ...fakeCore(), syncHold() {}, syncSend: (text) => asked.push(JSON.parse(text)) };
  const jobs = new Jobs(1, /** @type {any} */ (undefined), () => {});
  /** @type {any} */
  const search = { wanted: {} };
  /** @type {any} */
  const runner = { native, concurrency, jobs, onSync: undefined, search };
  const sync = new WorkerSync(runner);
  runner.sync = sync;
  /** Runs an event as the runner does. */
  const start = (index, run, isFollowed = false) => {
    const task = /** @type {any} */ ({ index, answers: 0 });
    sync.current = task;
    const follow = () => (isFollowed ? inside(run, task) : run());
    const promise = sync.inEvent === undefined ? follow() : sync.inEvent(task, follow);
    jobs.begun(task);
    sync.leave(task, undefined);
    return promise.then(() => {
      jobs.ended(task);
      sync.ended(task);
    });
  };
  const shared = copies.shared();
  const { worker } = shared;
  shared.worker = runner;
  try {
    await work({ ask: () => void sync.namespace().locks.query(), start, sync, runner });
  } finally {
    shared.worker = worker;
    leave();
  }
  return asked.map(({ event }) => event?.[0]);
}

describe("a worker", () => {
  it("has a place for its runner that all copies of the package share", () => {
    assert.equal(
      copies.shared(),
      /** @type {any} */ (cluster)[Symbol.for("@tiemma/sonic-distribute/1")],
    );
  });

  it("that runs one event at a time knows that event, and when there is none", async () => {
    const events = await inWorker(1, async ({ ask, start }) => {
      ask();
      await start(5, async () => {
        ask();
        await turn();
        ask();
      });
      ask();
    });
    assert.deepEqual(events, [undefined, 5, 5, undefined]);
  });

  it("that runs several knows the one that asks, from the first lock on", async () => {
    const events = await inWorker(4, async ({ ask, start }) => {
      const both = [
        start(5, async () => {
          ask();
          await turn();
          await turn();
          ask();
        }),
        start(6, async () => {
          await turn();
          ask();
          await turn();
          ask();
        }),
      ];
      ask();
      await Promise.all(both);
      ask();
    });
    assert.deepEqual(events.sort(), [5, 5, 6, 6, undefined, undefined]);
  });

  it("knows those that began before the first lock while it follows them", async () => {
    const events = await inWorker(4, async ({ ask, start }) => {
      const late = async () => {
        await turn();
        ask();
      };
      await Promise.all([start(5, late, true), start(6, late, true)]);
    });
    assert.deepEqual(events, [5, 6]);
  });

  it("takes none where it cannot know: another began before the first lock, and nobody followed it", async () => {
    const events = await inWorker(4, async ({ ask, start }) => {
      const late = async () => {
        await turn();
        ask();
        await turn();
      };
      await Promise.all([start(5, late), start(6, late)]);
    });
    assert.deepEqual(events, [undefined, undefined]);
  });

  it("counts nothing that an event leaves behind as the event's", async () => {
    const events = await inWorker(4, async ({ ask, start }) => {
      await start(5, async () => {
        ask();
        setImmediate(() => setImmediate(ask));
      });
      await turn();
      await turn();
      await turn();
    });
    assert.deepEqual(events, [5, undefined]);
  });

  it("hears what the master tells once it uses locks", async () => {
    await inWorker(1, async ({ sync, runner }) => {
      assert.equal(runner.onSync, undefined);
      const query = sync.namespace().locks.query();
      runner.onSync(JSON.stringify({ id: 1, reply: { is: "snapshot", held: [], pending: [] } }));
      assert.deepEqual(await query, { held: [], pending: [] });
    });
  });
});

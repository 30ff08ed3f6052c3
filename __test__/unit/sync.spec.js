"use strict";
/**
 * Promise: what processes share beside locks (counters, barriers, latches, `once`, limiters, stores) takes the documented arguments, names
 * the wrong one, asks the documented questions, and returns what the replies say. An event that is aborted ends its waits, one
 * that has ended does not come to barriers and latches any more, and each counts a latch down once however often it is tried. A client has
 * no counters.
 */
const assert = require("node:assert/strict");
const { deserialize, serialize } = require("node:v8");
const { describe, it } = require("node:test");

const { inside } = require("../../lib/shared/site");
const { abort, endScope } = require("../../lib/shared/sync/scopes");
const { inEvent } = require("../../lib/shared/sync/context");
const { MOST_BYTES } = require("../../lib/shared/sync/values");
const { fakeCore, turn, wired } = require("../support/wire");

const INVALID = "ERR_SONIC_INVALID_ARGUMENT";
const LONG = "x".repeat(1025);
const controller = new AbortController();
controller.abort("why");
const aborted = { signal: controller.signal };
const bytes = (value) => serialize(value);

/** What each refuses: the error's class, its message, and the call. @type {Record<string, [string, RegExp, (all: any) => any]>} */
const WRONG = {
  "a counter's name": [
    "TypeError",
    /^sync\.counter: the name must be a string, got 5/,
    ({ sync }) => sync.counter(5),
  ],
  "a long name": [
    "RangeError",
    /^sync\.counter: the name must have at most 1024/,
    ({ sync }) => sync.counter(LONG),
  ],
  "a counter's number": [
    "TypeError",
    /^sync\.counter: add: the number must be an integer.*got "1"/,
    ({ sync }) => sync.counter("a").add("1"),
  ],
  "a fraction": [
    "RangeError",
    /^sync\.counter: add: the number must be an integer.*got 0\.5/,
    ({ sync }) => sync.counter("a").add(0.5),
  ],
  "a stored value": [
    "RangeError",
    /^sync\.counter: store: the value.*got 9007199254740992/,
    ({ sync }) => sync.counter("a").store(2 ** 53),
  ],
  "an exchanged value": [
    "TypeError",
    /^sync\.counter: exchange: the value/,
    ({ sync }) => sync.counter("a").exchange(),
  ],
  "an expected value": [
    "TypeError",
    /^sync\.counter: compareExchange: the expected value/,
    ({ sync }) => sync.counter("a").compareExchange(null, 1),
  ],
  "a compared value": [
    "TypeError",
    /^sync\.counter: compareExchange: the value/,
    ({ sync }) => sync.counter("a").compareExchange(1),
  ],
  "a barrier's name": [
    "TypeError",
    /^sync\.barrier: the name/,
    ({ sync }) => sync.barrier(undefined, 2),
  ],
  parties: [
    "TypeError",
    /^sync\.barrier: parties must be a whole number of at least 1, got undefined/,
    ({ sync }) => sync.barrier("a"),
  ],
  "no party": ["RangeError", /^sync\.barrier: parties must be/, ({ sync }) => sync.barrier("a", 0)],
  "too many parties": [
    "RangeError",
    /^sync\.barrier: parties must be at most 4294967295/,
    ({ sync }) => sync.barrier("a", 2 ** 32),
  ],
  "a barrier's options": [
    "TypeError",
    /^barrier\.wait: options\.timeout is not an option; there are signal/,
    ({ sync }) => sync.barrier("a", 2).wait({ timeout: 5 }),
  ],
  "a latch's name": ["TypeError", /^sync\.latch: the name/, ({ sync }) => sync.latch({}, 2)],
  "a latch's count": [
    "TypeError",
    /^sync\.latch: count must be a whole number, got undefined/,
    ({ sync }) => sync.latch("a"),
  ],
  "a negative count": [
    "RangeError",
    /^sync\.latch: count must be a whole number from 0 to 4294967295, got -1/,
    ({ sync }) => sync.latch("a", -1),
  ],
  "a step of a latch": [
    "RangeError",
    /^latch\.countDown: the number must be/,
    ({ sync }) => sync.latch("a", 1).countDown(0),
  ],
  "a latch's options": [
    "TypeError",
    /^latch\.wait: options must be an object, got 5/,
    ({ sync }) => sync.latch("a", 1).wait(5),
  ],
  "a name of once": ["TypeError", /^sync\.once: the name/, ({ sync }) => sync.once(() => {})],
  "no function": [
    "TypeError",
    /^sync\.once: the second parameter must be a function, got undefined/,
    ({ sync }) => sync.once("a"),
  ],
  "options of once": [
    "TypeError",
    /^sync\.once: options\.signal must be an AbortSignal/,
    ({ sync }) => sync.once("a", () => {}, { signal: 5 }),
  ],
  "a limiter's name": [
    "TypeError",
    /^sync\.limiter: the name/,
    ({ sync }) => sync.limiter({ tokens: 1, per: 1 }),
  ],
  "no rate": [
    "TypeError",
    /^sync\.limiter: options\.tokens is missing/,
    ({ sync }) => sync.limiter("a"),
  ],
  "no time": [
    "TypeError",
    /^sync\.limiter: options\.per is missing/,
    ({ sync }) => sync.limiter("a", { tokens: 5 }),
  ],
  "no tokens": [
    "RangeError",
    /^sync\.limiter: options\.tokens must be a number above 0, got 0/,
    ({ sync }) => sync.limiter("a", { tokens: 0, per: 5 }),
  ],
  "a rate that is none": [
    "TypeError",
    /^sync\.limiter: options\.per must be a number above 0, got "5"/,
    ({ sync }) => sync.limiter("a", { tokens: 1, per: "5" }),
  ],
  "more than a burst": [
    "RangeError",
    /^limiter\.take: the number must be at most the burst of the limiter, 2, got 3/,
    ({ sync }) => sync.limiter("a", { tokens: 2, per: 5 }).take(3),
  ],
  "what cannot be taken": [
    "RangeError",
    /^limiter\.take: the number must be a number above 0, got -1/,
    ({ sync }) => sync.limiter("a", { tokens: 2, per: 5 }).take(-1),
  ],
  "options of take": [
    "TypeError",
    /^limiter\.take: options\.signall is not an option: did you mean signal/,
    ({ sync }) => sync.limiter("a", { tokens: 2, per: 5 }).take(1, { signall: 5 }),
  ],
  "a store's name": ["TypeError", /^sync\.store: the name/, ({ sync }) => sync.store()],
  "a key to get": [
    "TypeError",
    /^store\.get: the key must be a string, got 5/,
    ({ sync }) => sync.store("a").get(5),
  ],
  "a key to set": [
    "TypeError",
    /^store\.set: the key must be a string/,
    ({ sync }) => sync.store("a").set(undefined, 1),
  ],
  "a key to update": [
    "TypeError",
    /^store\.update: the key must be a string/,
    ({ sync }) => sync.store("a").update(null, () => {}),
  ],
  "a key to delete": [
    "TypeError",
    /^store\.delete: the key must be a string/,
    ({ sync }) => sync.store("a").delete(5),
  ],
  "a version": [
    "RangeError",
    /^store\.set: options\.ifVersion must be a version/,
    ({ sync }) => sync.store("a").set("k", 1, { ifVersion: -1 }),
  ],
  "no update": [
    "TypeError",
    /^store\.update: the second parameter must be a function/,
    ({ sync }) => sync.store("a").update("k", 5),
  ],
};

describe("what is shared refuses", () => {
  for (const [what, [name, message, call]] of Object.entries(WRONG)) {
    it(what, async () => {
      const all = wired(fakeCore());
      await assert.rejects(
        async () => call(all),
        (/** @type {any} */ error) => {
          assert.deepEqual([error.name, error.code], [name, INVALID]);
          assert.match(error.message, message);
          return true;
        },
      );
      assert.deepEqual(all.sent, []);
    });
  }

  it("a value that cannot be cloned, or is too large", async () => {
    const { sync, sent } = wired();
    await assert.rejects(
      sync.store("a").set("k", () => {}),
      {
        name: "TypeError",
        code: INVALID,
        message: /^store\.set: the value must be one that structured clone can copy: /,
      },
    );
    const large = sync.store("a").set("k", Buffer.alloc(MOST_BYTES));
    await assert.rejects(large, { code: "ERR_SONIC_TOO_LARGE", name: "RangeError" });
    assert.deepEqual(sent, []);
  });

  const WAITS = {
    "barrier.wait": (sync) => sync.barrier("a", 2).wait(aborted),
    "latch.wait": (sync) => sync.latch("a", 2).wait(aborted),
    once: (sync) => sync.once("a", assert.fail, aborted),
    "limiter.take": (sync) => sync.limiter("a", { tokens: 1, per: 1 }).take(1, aborted),
    "store.get": (sync) => sync.store("a").get("k", aborted),
    "store.set": (sync) => sync.store("a").set("k", 1, aborted),
    "store.update": (sync) => sync.store("a").update("k", assert.fail, aborted),
    "store.delete": (sync) => sync.store("a").delete("k", aborted),
  };
  for (const [what, call] of Object.entries(WAITS)) {
    it(`${what} with a signal that is aborted`, async () => {
      const { sync, sent } = wired();
      assert.equal(await call(sync).catch((error) => error), "why");
      assert.deepEqual(sent, []);
    });
  }
});

describe("sync.counter", () => {
  it("does what Atomics do", () => {
    const { sync } = wired(fakeCore());
    const counter = sync.counter("a");
    assert.deepEqual([counter.load(), counter.add(), counter.add(4), counter.load()], [0, 0, 1, 5]);
    assert.deepEqual([counter.store(7), counter.exchange(-3), counter.load()], [7, 7, -3]);
    assert.deepEqual([counter.compareExchange(5, 6), counter.compareExchange(-3, 6)], [-3, -3]);
    assert.deepEqual([counter.load(), sync.counter("b").load()], [6, 0]);
    assert.equal(sync.counter("a"), counter);
  });

  it("says so when there are no more", () => {
    const full = () => {
      throw new RangeError("full");
    };
    const { sync } = wired({ ...fakeCore(), counterIndex: full });
    assert.throws(() => sync.counter("a"), { name: "RangeError", message: "full" });
  });

  it("is not for clients, which share no memory", () => {
    const { sync } = wired();
    assert.throws(() => sync.counter("a"), {
      code: "ERR_SONIC_COUNTER_REMOTE",
      message: /sync\.store/,
    });
    assert.throws(() => sync.counter(5), { code: INVALID });
  });
});

/** Asks, and answers with this. */
async function replied(call, told, value) {
  const all = wired(fakeCore());
  const promise = call(all.sync);
  const [{ id, ...asked }] = all.sent;
  all.reply(id, told, value);
  return { result: await promise, asked };
}

describe("a question", () => {
  const number = { is: "number", number: 1 };
  const none = { value: null };
  const QUESTIONS = {
    "barrier.wait": [
      (sync) => sync.barrier("a", 2).wait(),
      { op: "barrier", name: "a", parties: 2 },
      number,
      1,
    ],
    "latch.countDown": [
      (sync) => sync.latch("a", 2).countDown(),
      { op: "countDown", name: "a", count: 2, n: 1, ordinal: 0 },
      number,
      1,
    ],
    "latch.wait": [
      (sync) => sync.latch("a", 0).wait(),
      { op: "latch", name: "a", count: 0 },
      { is: "done" },
      undefined,
    ],
    "limiter.take": [
      (sync) => sync.limiter("a", { tokens: 2, per: 1000, burst: 5 }).take(3),
      { op: "take", name: "a", tokens: 2, per: 1000, burst: 5, n: 3 },
      { is: "done" },
      undefined,
    ],
    "store.get": [
      (sync) => sync.store("a").get("k"),
      { op: "get", name: "a", key: "k" },
      { is: "nothing" },
      undefined,
    ],
    "store.delete": [
      (sync) => sync.store("a").delete("k"),
      { op: "delete", name: "a", key: "k" },
      number,
      true,
    ],
    "store.delete of nothing": [
      (sync) => sync.store("a").delete("k"),
      { op: "delete", name: "a", key: "k" },
      { is: "number", number: 0 },
      false,
    ],
  };
  for (const [what, [call, ask, told, expected]] of Object.entries(QUESTIONS)) {
    it(`is asked and answered: ${what}`, async () => {
      const { result, asked } = await replied(call, told);
      assert.deepEqual(asked, { ask, ...none });
      assert.equal(result, expected);
    });
  }

  it("has the bytes of a value behind it, and so has its reply", async () => {
    const value = { when: new Date(5), set: new Set([1n]) };
    const put = await replied((sync) => sync.store("a").set("k", value), {
      is: "number",
      number: 9,
    });
    assert.deepEqual(put.asked.ask, { op: "set", name: "a", key: "k" });
    assert.deepEqual([deserialize(put.asked.value), put.result], [value, 9]);
    const got = await replied(
      (sync) => sync.store("a").get("k"),
      { is: "value", version: 9 },
      bytes(value),
    );
    assert.deepEqual(got.result, { value, version: 9 });
    const changed = (sync) => sync.store("a").set("k", 1, { ifVersion: 3 });
    const refused = await replied(changed, { is: "nothing" });
    assert.deepEqual([refused.asked.ask.ifVersion, refused.result], [3, undefined]);
  });

  it("rejects if its reply is another's", async () => {
    const broken = { code: "ERR_SONIC_PROTOCOL" };
    await assert.rejects(
      replied((sync) => sync.barrier("a", 2).wait(), { is: "done" }),
      broken,
    );
    await assert.rejects(
      replied((sync) => sync.store("a").get("k"), { is: "done" }),
      broken,
    );
    await assert.rejects(
      replied((sync) => sync.once("a", assert.fail), { is: "done" }),
      broken,
    );
  });
});

describe("sync.once", () => {
  it("gives out the value that there is", async () => {
    const { result } = await replied(
      (sync) => sync.once("a", assert.fail),
      { is: "value", version: 1 },
      bytes([1n]),
    );
    assert.deepEqual(result, [1n]);
  });

  it("runs the function if it is to, tells of the value, and returns a copy", async () => {
    const all = wired();
    const value = { list: [1] };
    const promise = all.sync.once("a", async () => value);
    all.answer({ is: "run", token: 4 });
    const result = await promise;
    assert.deepEqual(result, value);
    assert.notEqual(result, value);
    const { ask, value: sent, id } = all.sent[1];
    assert.deepEqual([id, ask], [0, { op: "onceDone", name: "a", token: 4 }]);
    assert.deepEqual(deserialize(sent), value);
  });

  const FAILURES = {
    throws: () => {
      throw new Error("no");
    },
    rejects: async () => {
      throw new Error("no");
    },
    "returns what cannot be cloned": () => () => {},
  };
  for (const [what, fn] of Object.entries(FAILURES)) {
    it(`tells of a function that ${what}`, async () => {
      const all = wired();
      const promise = all.sync.once("a", fn);
      all.answer({ is: "run", token: 4 });
      await assert.rejects(promise);
      assert.deepEqual(all.sent[1].ask, { op: "onceFailed", name: "a", token: 4 });
    });
  }

  it("has what its function waits for inside it", async () => {
    const all = wired();
    all.sync.once("a", () => {
      all.locks.request("b", () => {});
    });
    all.answer({ is: "run", token: 4 });
    await turn();
    assert.deepEqual(all.sent[1].inside, [4]);
  });
});

describe("store.update", () => {
  it("changes what is there, under a lock of its key that no program can ask for", async () => {
    const all = wired();
    const promise = all.sync.store("a").update("k", async (value) => [...value, 2]);
    assert.equal(all.sent[0].ask.name, "-store:1:a:k");
    all.answer({ is: "granted", token: 1 });
    await turn();
    assert.deepEqual([all.sent[1].ask.op, all.sent[1].inside], ["get", [1]]);
    all.answer({ is: "value", version: 5 }, bytes([1]));
    await turn();
    assert.deepEqual([all.sent[2].ask.ifVersion, deserialize(all.sent[2].value)], [5, [1, 2]]);
    all.answer({ is: "number", number: 6 });
    assert.deepEqual(await promise, [1, 2]);
    assert.equal(all.sent[3].ask.op, "unlock");
  });

  it("begins again when somebody has set the key meanwhile, and gives up by what the function throws", async () => {
    const all = wired();
    const seen = [];
    const promise = all.sync.store("a").update("k", (value) => {
      seen.push(value);
      if (seen.length === 2) throw new Error("enough");
      return 1;
    });
    all.answer({ is: "granted", token: 1 });
    await turn();
    all.answer({ is: "nothing" });
    await turn();
    assert.equal(all.sent[2].ask.ifVersion, 0);
    all.answer({ is: "nothing" });
    await turn();
    all.answer({ is: "value", version: 1 }, bytes("other"));
    await assert.rejects(promise, { message: "enough" });
    assert.deepEqual(seen, [undefined, "other"]);
    assert.equal(all.sent[all.sent.length - 1].ask.op, "unlock");
  });
});

describe("an event", () => {
  const task = (index = 3, answers = 512) => ({ index, answers });

  it("is told with what it asks for, also later and inside a lock", async () => {
    const all = wired();
    inEvent(task(), async () => {
      all.locks.request("a", async () => {
        await turn();
        all.locks.query();
      });
      await turn();
      all.sync.barrier("b", 2).wait();
    });
    all.answer({ is: "granted", token: 1 });
    await turn();
    await turn();
    assert.deepEqual(
      all.sent.slice(0, 3).map(({ event }) => event),
      [
        [3, 512],
        [3, 512],
        [3, 512],
      ],
    );
  });

  it("that is aborted has its questions withdrawn and its locks' signals aborted, and asks for nothing more", async () => {
    const all = wired();
    const mine = task();
    let lock;
    const waits = inEvent(mine, () => {
      all.locks.request("a", (given) => {
        lock = given;
        return new Promise(() => {});
      });
      all.answer({ is: "granted", token: 1 });
      return [all.locks.request("b", assert.fail), all.sync.latch("c", 1).wait()];
    });
    const other = all.locks.request("d", (given) => given.token);
    await turn();
    assert.equal(lock.signal.aborted, false);
    abort(mine, false);
    for (const wait of waits) await assert.rejects(wait, { name: "AbortError" });
    assert.deepEqual([lock.signal.aborted, lock.signal.reason.name], [true, "AbortError"]);
    const cancelled = all.sent.filter(({ ask }) => ask.op === "cancel");
    assert.deepEqual(
      cancelled.map(({ ask }) => ask.question),
      [2, 3],
    );
    await assert.rejects(
      inEvent(mine, () => all.locks.request("e", assert.fail)),
      { name: "AbortError" },
    );
    all.reply(4, { is: "granted", token: 9 });
    assert.equal(await other, 9);
  });

  it("is told of with a lock that nobody else wants", async () => {
    const core = fakeCore();
    const all = wired(core);
    const first = all.locks.request("a", () => {});
    core.held.set(1, 0.5);
    all.answer({ is: "granted", token: 0.5, place: [1, 1] });
    await first;
    await all.locks.request("a", () => {});
    const mine = task();
    for (let at = 0; at < 2; at++) await inEvent(mine, () => all.locks.request("a", () => {}));
    assert.deepEqual(core.events, [-1, 3512, 3512]);
  });

  it("that has ended comes to no barrier and waits for no latch, and what it has asked for otherwise goes on", async () => {
    const all = wired();
    const [mine, other] = [task(), task()];
    const waits = (event) =>
      inEvent(event, () => [all.sync.barrier("a", 2).wait(), all.sync.latch("b", 1).wait()]);
    const [unheard, heard] = waits(mine);
    const others = waits(other);
    const lock = inEvent(mine, () => all.locks.request("c", (given) => given.token));
    const taken = inEvent(mine, () => all.sync.limiter("d", { tokens: 1, per: 1 }).take());
    endScope(mine);
    await assert.rejects(heard, { name: "AbortError", message: /has ended/ });
    // Node would report it otherwise.
    await turn();
    await assert.rejects(unheard, { name: "AbortError" });
    const cancelled = all.sent.filter(({ ask }) => ask.op === "cancel");
    assert.deepEqual(
      cancelled.map(({ ask }) => ask.question),
      [1, 2],
    );
    all.reply(3, { is: "number", number: 1 });
    all.reply(4, { is: "done" });
    all.reply(5, { is: "granted", token: 9 });
    all.reply(6, { is: "done" });
    assert.deepEqual(await Promise.all([...others, lock, taken]), [1, undefined, 9, undefined]);
  });

  it("that ran too long is aborted with a reason that says so", async () => {
    const all = wired();
    const mine = task();
    const wait = inEvent(mine, () => all.sync.barrier("a", 2).wait());
    abort(mine, true);
    await assert.rejects(wait, { name: "AbortError", message: /taskTimeout/ });
  });

  it("numbers how often it has counted a latch down, for each latch", () => {
    const all = wired();
    const mine = task();
    const count = (name) => inEvent(mine, () => all.sync.latch(name, 5).countDown());
    for (const name of ["a", "a", "b", "a"]) count(name);
    inEvent(task(), () => all.sync.latch("a", 5).countDown());
    assert.deepEqual(
      all.sent.map(({ ask }) => ask.ordinal),
      [0, 1, 0, 2, 0],
    );
  });

  it("of this process counts once over its attempts, and is not told", () => {
    const all = wired();
    const event = {};
    const attempt = (times) =>
      inside(
        () => {
          for (let at = 0; at < times; at++) all.sync.latch("a", 5).countDown();
        },
        { event, attempt: {} },
      );
    attempt(1);
    attempt(2);
    attempt(3);
    assert.deepEqual(
      all.sent.map(({ ask, event }) => [ask.n, event]),
      [1, 0, 1, 0, 0, 1].map((n) => [n, undefined]),
    );
  });
});

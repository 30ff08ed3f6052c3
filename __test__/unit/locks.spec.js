"use strict";
/**
 * Promise: `locks.request` and `locks.query` are those of the Web Locks specification: which arguments they take, when callbacks run and
 * with what, when the promise settles. A lock that nobody else wants is taken without a question, and never before one that was asked for
 * earlier. Questions have numbers, and each reply finds its own.
 */
const assert = require("node:assert/strict");
const { AsyncLocalStorage } = require("node:async_hooks");
const { describe, it } = require("node:test");

const { MOST_PLACES, Quick } = require("../../lib/shared/sync/quick");
const { LAST_ID, Port } = require("../../lib/shared/sync/port");
const { nameOf, textOf } = require("../../lib/shared/sync/names");
const { fakeCore, turn, wired } = require("../support/wire");

const INVALID = "ERR_SONIC_INVALID_ARGUMENT";
const granted = (token, place) => ({ is: "granted", token, ...(place && { place }) });

/** A promise, and what settles it. */
function deferred() {
  /** @type {any} */
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
}

/** A lock that is held until the test lets it go. */
function holding({ locks }, name, options = {}) {
  const work = deferred();
  /** @type {any} */
  const state = { lock: undefined, ...work };
  state.request = locks.request(name, options, (lock) => {
    state.lock = lock;
    return work.promise;
  });
  return state;
}

describe("locks.request refuses", () => {
  const callback = () => {};
  const signal = new AbortController().signal;
  /** @type {Record<string, [any[], string, RegExp]>} */
  const WRONG = {
    "a name that is no string": [
      [5, callback],
      "TypeError",
      /^locks\.request: the name must be a string, got 5/,
    ],
    "no name": [[undefined, callback], "TypeError", /the name must be a string/],
    "a name that is too long": [
      ["x".repeat(1025), callback],
      "RangeError",
      /at most 1024 characters, got 1025/,
    ],
    "no callback": [
      ["a"],
      "TypeError",
      /^locks\.request: the callback must be a function, got undefined/,
    ],
    "options alone": [["a", {}], "TypeError", /the callback must be a function/],
    "a callback that is none": [
      ["a", {}, "b"],
      "TypeError",
      /the callback must be a function, got "b"/,
    ],
    "a promise as the callback": [
      ["a", Promise.resolve()],
      "TypeError",
      /the callback must be a function/,
    ],
    "options that are none": [
      ["a", 5, callback],
      "TypeError",
      /^locks\.request: options must be an object, got 5/,
    ],
    "an unknown option": [
      ["a", { ifAvaliable: true }, callback],
      "TypeError",
      /options\.ifAvaliable is not an option: did you mean ifAvailable/,
    ],
    "an unknown mode": [
      ["a", { mode: "foo" }, callback],
      "TypeError",
      /options\.mode must be "exclusive" or "shared", got "foo"/,
    ],
    "the mode null": [["a", { mode: null }, callback], "TypeError", /options\.mode must be/],
    "a flag that is none": [
      ["a", { steal: 1 }, callback],
      "TypeError",
      /options\.steal must be true or false, got 1/,
    ],
    "a signal that is none": [
      ["a", { signal: {} }, callback],
      "TypeError",
      /options\.signal must be an AbortSignal/,
    ],
    "a limit that is none": [
      ["a", { limit: "2" }, callback],
      "TypeError",
      /options\.limit must be a whole number/,
    ],
    "a limit of 0": [
      ["a", { limit: 0 }, callback],
      "RangeError",
      /options\.limit must be a whole number of at least 1/,
    ],
    "a limit above 2 ** 32 - 1": [
      ["a", { limit: 2 ** 32 }, callback],
      "RangeError",
      /options\.limit must be at most 4294967295/,
    ],
    "a limit of what is shared": [
      ["a", { limit: 2, mode: "shared" }, callback],
      "TypeError",
      /options\.limit is for the mode "exclusive" only/,
    ],
  };
  for (const [what, [given, name, message]] of Object.entries(WRONG)) {
    it(what, async () => {
      const { locks, sent } = wired();
      const [asked, options, called] = given;
      await assert.rejects(locks.request(asked, options, called), (/** @type {any} */ error) => {
        assert.deepEqual([error.name, error.code], [name, INVALID]);
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual(sent, []);
    });
  }

  const NOT_SUPPORTED = {
    'a name that begins with "-"': ["-a", {}],
    'the name "-"': ["-", undefined],
    "to steal if it is available": ["a", { steal: true, ifAvailable: true }],
    "to steal a shared lock": ["a", { steal: true, mode: "shared" }],
    "to steal one of several": ["a", { steal: true, limit: 2 }],
    "to steal with a signal": ["a", { steal: true, signal }],
    "a signal for what is available or not": ["a", { ifAvailable: true, signal }],
  };
  for (const [what, [name, options]] of Object.entries(NOT_SUPPORTED)) {
    it(what, async () => {
      const { locks, sent } = wired();
      const request = locks.request(name, options, callback);
      await assert.rejects(request, { name: "NotSupportedError", code: 9 });
      await assert.rejects(request, (error) => error instanceof DOMException);
      assert.deepEqual(sent, []);
    });
  }

  it("a signal that is aborted, with its reason", async () => {
    const { locks, sent } = wired();
    const controller = new AbortController();
    controller.abort();
    const request = () => locks.request("a", { signal: controller.signal }, assert.fail);
    await assert.rejects(request, { name: "AbortError" });
    const other = new AbortController();
    other.abort("why");
    const reason = await locks
      .request("a", { signal: other.signal }, assert.fail)
      .catch((error) => error);
    assert.equal(reason, "why");
    assert.deepEqual(sent, []);
  });
});

describe("a lock that is asked for", () => {
  it("is told by its name, its mode and its number", async () => {
    const { locks, sent } = wired();
    for (const options of [undefined, null, {}, { mode: undefined }, { limit: 1 }])
      locks.request("a", options, () => {});
    locks.request("a", () => {});
    const plain = { op: "lock", name: "a", mode: "exclusive", ifAvailable: false, steal: false };
    for (const { ask } of sent) assert.deepEqual(ask, plain);
    assert.deepEqual(
      sent.map(({ id }) => id),
      [1, 2, 3, 4, 5, 6],
    );
    locks.request("b", { mode: "shared", ifAvailable: true }, () => {});
    assert.deepEqual(sent[6].ask, { ...plain, name: "b", mode: "shared", ifAvailable: true });
    locks.request("b", { limit: 3 }, () => {});
    assert.equal(sent[7].ask.limit, 3);
    locks.request("b", { steal: true }, () => {});
    assert.equal(sent[8].ask.steal, true);
  });

  it("is the callback's until that has ended, and the promise is as it ended", async () => {
    const all = wired();
    const one = holding(all, "a");
    assert.equal(one.lock, undefined);
    all.answer(granted(7));
    assert.equal(one.lock, undefined, "not before the code that runs has had its turn");
    await turn();
    const { name, mode, token, signal } = one.lock;
    assert.deepEqual([name, mode, token, signal.aborted], ["a", "exclusive", 7, false]);
    assert.equal(all.sent.length, 1);
    one.resolve("done");
    assert.equal(await one.request, "done");
    assert.deepEqual(all.sent[1], {
      id: 0,
      ask: { op: "unlock", name: "a", token: 7 },
      value: null,
    });
  });

  const ENDS = {
    "throws at once": () => {
      throw new Error("no");
    },
    "rejects later": async () => {
      await turn();
      throw new Error("no");
    },
    "returns what cannot be awaited": () =>
      new Proxy(
        {},
        {
          get() {
            throw new Error("no");
          },
        },
      ),
  };
  for (const [what, callback] of Object.entries(ENDS)) {
    it(`is given back when the callback ${what}`, async () => {
      const { locks, sent, answer } = wired();
      const request = locks.request("a", callback);
      answer(granted(1));
      await assert.rejects(request, { message: "no" });
      assert.equal(sent[1].ask.op, "unlock");
    });
  }

  it("gives the callback null if it is not available, and nothing back", async () => {
    const { locks, sent, answer } = wired();
    const request = locks.request("a", { ifAvailable: true }, (lock) => [lock]);
    answer({ is: "unavailable" });
    assert.deepEqual(await request, [null]);
    assert.equal(sent.length, 1);
  });

  it("rejects with what the core says", async () => {
    const { locks, answer } = wired();
    const request = locks.request("a", () => {});
    answer({
      is: "failed",
      name: "RangeError",
      code: "ERR_SONIC_LOCK_LIMIT",
      message: "other limit",
    });
    await assert.rejects(request, (/** @type {any} */ error) => {
      assert.equal(Object.getPrototypeOf(error), RangeError.prototype);
      assert.deepEqual([error.code, error.message], ["ERR_SONIC_LOCK_LIMIT", "other limit"]);
      assert.match(error.stack, /locks\.spec\.js/);
      return true;
    });
  });

  it("is withdrawn when its signal is aborted, and its reply is nobody's", async () => {
    const all = wired();
    const controller = new AbortController();
    const request = all.locks.request("a", { signal: controller.signal }, assert.fail);
    controller.abort("enough");
    assert.equal(await request.catch((error) => error), "enough");
    assert.deepEqual(all.sent[1], { id: 0, ask: { op: "cancel", question: 1 }, value: null });
    all.reply(1, granted(1));
    await turn();
    assert.deepEqual([all.sent.length, all.holds], [2, [true, false]]);
  });

  it("does not care for its signal once it is held", async () => {
    const all = wired();
    const controller = new AbortController();
    const one = holding(all, "a", { signal: controller.signal });
    all.answer(granted(1));
    await turn();
    controller.abort();
    assert.equal(one.lock.signal.aborted, false);
    one.resolve(5);
    assert.equal(await one.request, 5);
  });

  it("is given back at once if its signal is aborted before the callback runs", async () => {
    const all = wired();
    const controller = new AbortController();
    const request = all.locks.request("a", { signal: controller.signal }, assert.fail);
    all.answer(granted(1));
    controller.abort();
    await assert.rejects(request, { name: "AbortError" });
    assert.equal(all.sent[1].ask.op, "unlock");
  });

  it("is lost when another steals it: the signal aborts, the promise rejects, nothing is given back", async () => {
    const all = wired();
    const one = holding(all, "a");
    all.answer(granted(1));
    await turn();
    const { signal } = one.lock;
    all.reply(0, { is: "stolen", token: 1 });
    assert.equal(signal.aborted, true);
    await assert.rejects(one.request, (error) => error === signal.reason);
    assert.equal(signal.reason.name, "AbortError");
    one.resolve();
    await turn();
    assert.equal(all.sent.length, 1);
    all.reply(0, { is: "stolen", token: 1 });
  });

  it("is lost even before its callback has run, which then does not", async () => {
    const all = wired();
    const request = all.locks.request("a", assert.fail);
    all.answer(granted(1));
    all.reply(0, { is: "stolen", token: 1 });
    await assert.rejects(request, { name: "AbortError" });
    assert.equal(all.sent.length, 1);
  });

  it("keeps the event loop alive while a reply is awaited, and not while it is held", async () => {
    const all = wired();
    const [one, two] = [holding(all, "a"), holding(all, "b")];
    all.reply(1, granted(1));
    assert.deepEqual(all.holds, [true]);
    all.reply(2, granted(2));
    assert.deepEqual(all.holds, [true, false]);
    for (const { resolve } of [one, two]) resolve();
    await Promise.all([one.request, two.request]);
    assert.deepEqual(all.holds, [true, false]);
  });

  it("says inside which locks it is asked for, as long as these are held", async () => {
    const all = wired();
    const outer = deferred();
    const inner = deferred();
    all.locks.request("a", async () => {
      all.locks.request("b", async () => {
        all.locks.request("c", () => {});
        await inner.promise;
        all.locks.request("d", () => {});
      });
      await outer.promise;
    });
    all.answer(granted(1));
    await turn();
    assert.deepEqual(all.sent[1].inside, [1]);
    all.answer(granted(2));
    await turn();
    assert.deepEqual(all.sent[2].inside, [2, 1]);
    outer.resolve();
    await turn();
    inner.resolve();
    await turn();
    const last = all.sent.find(({ ask }) => ask.name === "d");
    assert.deepEqual(last.inside, [2]);
    assert.equal("inside" in all.sent[0], false);
  });

  it("runs its callback in the program's own asynchronous context", async () => {
    const { locks, answer } = wired();
    const storage = new AsyncLocalStorage();
    const request = storage.run("mine", () => locks.request("a", () => storage.getStore()));
    answer(granted(1));
    assert.equal(await request, "mine");
  });

  it("has any name, and another than every other name", () => {
    const names = [
      "",
      "a",
      "\0",
      "abc\0def",
      "\ud800",
      "\udc00",
      "\ud800\udc00",
      "\ufffd",
      "\ufffe",
    ];
    names.push("\ufffe\ufffe", "\ufffed800", "\ud800\ud800\udc00", "😀", "a\udfff", "__proto__");
    const texts = names.map((name) => textOf("a name", name));
    assert.equal(new Set(texts).size, names.length);
    for (const text of texts) assert.equal(Buffer.from(text).toString(), text);
    assert.deepEqual(texts.map(nameOf), names);
  });
});

describe("locks.query", () => {
  it("says who holds and who waits", async () => {
    const { locks, sent, answer } = wired();
    const query = locks.query();
    assert.deepEqual(sent[0].ask, { op: "query" });
    const one = {
      name: textOf("", "\ud800"),
      mode: "shared",
      clientId: "2",
      worker: null,
      pid: 5,
      event: null,
    };
    const two = { name: "b", mode: "exclusive", clientId: "3", worker: 1, pid: 6, event: 0 };
    answer({ is: "snapshot", held: [one], pending: [two] });
    assert.deepEqual(await query, {
      held: [{ name: "\ud800", mode: "shared", clientId: "2", pid: 5 }],
      pending: [two],
    });
  });
});

describe("a lock whose place is known", () => {
  /** A namespace that has had the lock once, at this place. */
  async function known(place = [3, 1]) {
    const core = fakeCore();
    const all = wired(core);
    const first = all.locks.request("a", () => "first");
    core.held.set(place[0], 0.5);
    all.answer(granted(0.5, place));
    assert.equal(await first, "first");
    assert.equal(all.sent.length, 1, "given back in the shared memory");
    return { ...all, core };
  }

  it("is taken and given back without a word", async () => {
    const { locks, sent, core } = await known();
    const order = [];
    const request = locks.request("a", ({ token }) => order.push(token));
    order.push("asked");
    assert.equal(await request, 2);
    assert.deepEqual(order, ["asked", 1]);
    assert.deepEqual([sent.length, core.held.size], [1, 0]);
    assert.equal(await locks.request("a", { ifAvailable: true }, (lock) => lock.token), 2);
    assert.equal(await locks.request("a", { signal: new AbortController().signal }, () => 5), 5);
    assert.equal(sent.length, 1);
  });

  it("is given back before the promise settles, however the callback ends", async () => {
    const { locks, core } = await known();
    const failing = async () => {
      await turn();
      throw new Error("no");
    };
    await assert.rejects(locks.request("a", failing), { message: "no" });
    assert.equal(core.held.size, 0);
  });

  it("is asked for when another has it, when the place is another's, and in any other way", async () => {
    const { locks, sent, core } = await known();
    core.held.set(3, 99);
    locks.request("a", () => {});
    assert.equal(sent.length, 2);
    const other = await known([3, 2]);
    other.locks.request("a", () => {});
    assert.equal(other.sent.length, 2);
    for (const options of [{ mode: "shared" }, { steal: true }, { limit: 2 }]) {
      const { locks, sent, core } = await known();
      const { tries } = core;
      locks.request("a", options, () => {});
      assert.deepEqual([sent.length, core.tries], [2, tries]);
    }
  });

  it("is not taken before an earlier request of this process", async () => {
    const { locks, sent, reply, core } = await known();
    locks.request("a", { mode: "shared" }, () => {});
    locks.request("a", () => {});
    assert.equal(sent.length, 3);
    reply(2, granted(1.5));
    locks.request("a", () => {});
    assert.equal(sent.length, 4);
    reply(3, granted(1.6));
    reply(4, granted(1.7));
    core.held.clear();
    await turn();
    assert.equal(await locks.request("a", () => 7), 7);
    assert.equal(sent.filter(({ ask }) => ask.op === "lock").length, 4);
  });

  it("has its end told if others wait by then", async () => {
    const { locks, sent, core } = await known();
    core.managed.add(3);
    const token = await locks.request("a", (lock) => lock.token);
    assert.deepEqual(sent[1].ask, { op: "unlock", name: "a", token });
  });

  it("is given back if the signal is aborted before the callback runs", async () => {
    const { locks, sent, core } = await known();
    const controller = new AbortController();
    const request = locks.request("a", { signal: controller.signal }, assert.fail);
    controller.abort("now");
    assert.equal(await request.catch((error) => error), "now");
    assert.deepEqual([sent.length, core.held.size], [1, 0]);
  });

  it("can be stolen", async () => {
    const all = await known();
    const one = holding(all, "a");
    await turn();
    all.reply(0, { is: "stolen", token: one.lock.token });
    await assert.rejects(one.request, { name: "AbortError" });
  });

  it("is forgotten when many others were used since", () => {
    const quick = new Quick(fakeCore());
    for (let at = 0; at < MOST_PLACES + 10; at++)
      quick.learn(`${at}`, { place: at, generation: 1 });
    assert.equal(quick.size, MOST_PLACES);
    assert.equal(quick.placeOf("9"), undefined);
    assert.deepEqual(quick.placeOf("10"), { place: 10, generation: 1 });
    quick.learn("10", { place: 5, generation: 2 });
    assert.deepEqual(quick.placeOf("10"), { place: 5, generation: 2 });
    assert.equal(quick.size, MOST_PLACES);
  });
});

describe("questions", () => {
  it("have numbers that begin again after the last, without those that are in use", () => {
    const sent = [];
    const wire = { isOwn: true, send: (text) => sent.push(JSON.parse(text).id), hold() {} };
    const port = new Port(wire, LAST_ID - 1);
    const ask = () => port.request({ op: "query" }, {}).catch(() => {});
    for (let at = 0; at < 3; at++) ask();
    port.hear({ text: JSON.stringify({ id: 1, reply: { is: "done" } }) });
    assert.deepEqual(sent, [LAST_ID, 1, 2]);
    assert.equal(port.waiting, 2);
    const again = new Port(wire, 0);
    again.request({ op: "query" }, {});
    assert.equal(sent.pop(), 1);
  });

  it("find their replies in any order", async () => {
    const { locks, reply } = wired();
    const results = ["a", "b", "c"].map((name) => locks.request(name, (lock) => lock.token));
    for (const id of [2, 3, 1]) reply(id, granted(id * 10));
    assert.deepEqual(await Promise.all(results), [10, 20, 30]);
  });

  it("that cannot be sent reject, and are forgotten", async () => {
    const holds = [];
    const send = () => {
      throw new Error("closed");
    };
    const port = new Port({ isOwn: true, send, hold: (isHeld) => holds.push(isHeld) });
    await assert.rejects(port.request({ op: "query" }, {}), { message: "closed" });
    assert.deepEqual([port.waiting, holds], [0, [true, false]]);
  });

  it("reject when the other side is gone, as do all later ones, and locks are lost", async () => {
    const all = wired();
    const held = holding(all, "a");
    all.answer(granted(1));
    await turn();
    const query = all.locks.query();
    all.port.break(() => new Error("gone"));
    await assert.rejects(query, { message: "gone" });
    await assert.rejects(held.request, { message: "gone" });
    assert.equal(held.lock.signal.aborted, true);
    await assert.rejects(all.locks.query(), { message: "gone" });
    held.resolve();
    await turn();
    assert.equal(all.sent.length, 2);
  });
});

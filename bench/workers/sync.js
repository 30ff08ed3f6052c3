"use strict";
// The stages of bench/sync.js.

const { locks, sync } = require("../..");

const now = () => Number(process.hrtime.bigint()) / 1e3;
const nothing = () => {};

/** How many a second. @param {number} count @param {() => Promise<void>} work */
async function rate(count, work) {
  const began = now();
  await work();
  return (count / (now() - began)) * 1e6;
}

module.exports = {
  /** Takes one lock again and again. */
  same: ({ data: { name, count } }) =>
    rate(count, async () => {
      for (let at = 0; at < count; at++) await locks.request(name, nothing);
    }),

  /** Takes many locks, each once. */
  each: ({ data: { name, count } }) =>
    rate(count, async () => {
      for (let at = 0; at < count; at++) await locks.request(`${name} ${at}`, nothing);
    }),

  /** Takes a lock that another wants as well: its token, when it was granted and when it was given back (us), each time. */
  async contends({ data: { name, count } }) {
    const times = [];
    await sync.barrier(`${name} begins`, 2).wait();
    for (let at = 0; at < count; at++) {
      await locks.request(name, async ({ token }) => {
        const granted = now();
        // The other has asked by now.
        await new Promise((done) => setImmediate(done));
        times.push([token, granted, now()]);
      });
    }
    return times;
  },

  counts: ({ data: { name, count } }) =>
    rate(count, async () => {
      const counter = sync.counter(name);
      for (let at = 0; at < count; at++) counter.add();
    }),

  /** How long each round took (us), of the last half. */
  async meets({ data: { name, count, parties } }) {
    const barrier = sync.barrier(name, parties);
    const times = [];
    for (let at = 0; at < count; at++) {
      const began = now();
      await barrier.wait();
      times.push(now() - began);
    }
    return times.slice(count / 2);
  },

  /** When each token was had (us). */
  async takes({ data: { name, tokens, count } }) {
    const limiter = sync.limiter(name, { tokens, per: 1000, burst: 1 });
    const times = [];
    await Promise.all(
      Array.from({ length: count }, () => limiter.take().then(() => times.push(now()))),
    );
    return times;
  },

  /** Has the lock, says so, and dies after the other has asked for it. */
  dies: ({ data: name }) =>
    locks.request(name, async () => {
      await sync.store(name).set("has", true);
      while ((await sync.store(name).get("asks")) === undefined);
      await sync.store(name).set("died", now());
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => {});
    }),

  /** Has it next: how long after that (ms). */
  async survives({ data: name }) {
    while ((await sync.store(name).get("has")) === undefined);
    const asked = locks.request(name, now);
    await sync.store(name).set("asks", true);
    const granted = await asked;
    const { value: died } = (await sync.store(name).get("died")) || { value: Number.NaN };
    return (granted - died) / 1e3;
  },
};

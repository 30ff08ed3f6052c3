"use strict";
// The ids of a master's workers, which no two have on any machine.

/**
 * The number before the first of so many ids that nobody has.
 * @param {InstanceType<typeof import("./broker").Broker>} broker
 * @param {string} master the key of the master
 * @param {number} count
 * @param {() => number} highest that a worker of this process has had
 */
async function reserve(broker, master, count, highest) {
  for (;;) {
    const last = await broker.client.incrby(`${master}:ids`, count);
    await broker.client.pexpire(`${master}:ids`, 20 * broker.options.lease);
    if (last - count >= highest()) return last - count;
  }
}

module.exports = { reserve };

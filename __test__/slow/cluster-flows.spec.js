"use strict";
/**
 * Promise: flows do over a cluster what they do on one machine, but for what is refused at once. Events of nodes run in the workers of all
 * hosts that have their tags; what a lost host may have run fails in the node in which it was, or runs again.
 *
 * The broker is a real one, and hosts are processes.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { before, describe, it } = require("node:test");

const { until } = require("../support/broker");
const { TOGETHER, withBroker } = require("../support/cluster-test");
const { install } = require("../support/debian");

const programs = path.join(__dirname, "..", "fixtures", "cluster");
const RANDOM = path.join(programs, "random-flows.js");

/** Hosts for all tags, of which no worker has all that a flow may ask for. */
const start = (broker, file, env) =>
  [
    ["a", "a"],
    ["b", "b"],
    ["ab", "a,b"],
  ].map(([name, tags]) => broker.host(name, file, env, ["--tags", tags]));

describe("flows over a cluster", TOGETHER, () => {
  before(() => install("redis-server"));

  for (const serialization of ["json", "advanced"])
    it(
      `are what one process makes of them, made by chance: ${serialization}`,
      withBroker(undefined, async ({ broker, env }) => {
        const own = { ...env, COUNT: "60", SERIALIZATION: serialization };
        start(broker, RANDOM, own);
        const { all, unfinished } = await broker.master(RANDOM, own).result();
        for (const { wrong, entries } of all) {
          assert.deepEqual(wrong, []);
          assert.ok(entries > 1000);
        }
        assert.equal(unfinished, 0);
      }),
    );
});

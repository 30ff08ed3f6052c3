"use strict";
// Not a pool: the same results as objects in an array of this process. The base for the memory of unread
// results.

const { growth } = require("../memory");
const { Tally } = require("../tally");
const { WORKLOADS } = require("../workloads");

async function run({ workload, events }) {
  const { data, answer } = WORKLOADS[workload];
  const entries = [];
  const value = await growth(() => {
    for (let index = 0; index < events; index++) {
      entries.push({ id: 1 + (index % 2), data: data(index), response: answer(data(index)) });
    }
  });
  const tally = new Tally(WORKLOADS[workload], events);
  for (const { response } of entries) tally.add(response);
  tally.check();
  return { value };
}

module.exports = {
  title: "array of objects",
  run,
};

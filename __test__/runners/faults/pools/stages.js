"use strict";
// The stages of a cell's pool, and the worker file of those that have one. Each process writes into one file, by one system
// call a line, so that its order is that of time: `P` it came to its stages, `K` it ran what is kept, `B` an event begins, `E`
// it has ended; each with its pid, its number, and for events their name and attempt.
const { injected, isWorker, worker } = require("./arm");
const fs = require("fs");
const { log, mark, marked, until } = require("../../../support/program");

const write = (kind, ...rest) => log("events.log", [kind, process.pid, worker, ...rest].join(" "));

// It is loaded when a worker has said hello, and has not come to its call.
injected.begin("handshake");
if (isWorker) write("P");

let isKept = false;

/** What each worker is to have run before any event. */
async function keep() {
  await injected.keep();
  isKept = true;
  write("K");
  return process.pid;
}

const look = () => ({ pid: process.pid, isKept });

/** Which worker has a key. */
const where = (_event, { workerID }) => workerID;

/** How each event runs, by its role. */
const roles = {
  /** It keeps its place until the fault has struck, or until it is told to go. */
  filler: ({ name, release }) => until(() => marked(release) || marked(`go ${name}`)),
  follower: () => {},
  child: () => {},
  async victim() {
    await injected.strike();
    // What was raised where nobody waits for it comes now.
    await new Promise(setImmediate);
  },
  /** All of them run at the same time, in all places of the pool. */
  async meeting({ name, size }) {
    mark(`met ${name}`);
    await until(() => fs.readdirSync(".").filter((file) => /^met /.test(file)).length >= size);
  },
};

/** @param {any} event @param {any} _args @param {any} task */
async function work({ data }, _args, task) {
  const { name, role, emits } = data;
  write("B", name, task.attempt);
  task.count(name.split(":")[0]);
  if (emits) task.emit({ name: `${name}-child`, role: "child" });
  try {
    await roles[role](data);
  } finally {
    write("E", name, task.attempt);
  }
  return role === "victim" ? injected.response(name) : name;
}

module.exports = { keep, look, where, work };

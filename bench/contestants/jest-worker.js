"use strict";
// jest-worker with processes and structured clone, both its defaults. It gives each process one task at a
// time.

const path = require("node:path");
const { drive } = require("../drive");

async function open({ workers }) {
  const { Worker } = require("jest-worker");
  const pool = new Worker(path.join(__dirname, "..", "workers", "named.js"), {
    numWorkers: workers,
    exposedMethods: ["serve"],
  });
  await pool.start();
  return {
    send: (data, done, fail) => pool.serve(data).then(done, fail),
    close: () => pool.end(),
  };
}

module.exports = {
  title: "jest-worker, processes",
  package: "jest-worker",
  run: (job) => drive(job, () => open(job)),
};

"use strict";
// The optional features of a call, to measure the cost of each: the same events with one feature at a time.

const { channel } = require("node:diagnostics_channel");
const path = require("node:path");

const ignore = () => {};

/**
 * The options that turn on a feature. Files go to the given folder.
 * @type {Record<string, (folder: string) => object>}
 */
const FEATURES = {
  nothing: () => ({}),
  statistics: () => ({ statistics: true }),
  progress: () => ({ progress: true }),
  "progress-workers": () => ({ progress: "workers" }),
  onProgress: () => ({ onProgress: ignore }),
  trace: (folder) => ({ trace: path.join(folder, "run.json") }),
  report: (folder) => ({ report: path.join(folder, "run.html") }),
  diagnostics: () => {
    subscribed = channel("sonic-distribute:task:end");
    subscribed.subscribe(ignore);
    return {};
  },
  onResult: () => ({ onResult: ignore }),
  retries: () => ({ retries: 3 }),
  taskTimeout: () => ({ taskTimeout: 60_000 }),
  maxTasksPerWorker: () => ({ maxTasksPerWorker: 1e9 }),
  maxWorkerMemory: () => ({ maxWorkerMemory: 1e12 }),
  signal: () => ({ signal: new AbortController().signal }),
  stream: () => ({ order: "completion" }),
  "stream-in-order": () => ({ order: "submission" }),
};

/** Node drops a channel without references. */
let subscribed;

module.exports = { FEATURES };

"use strict";
// Publishes on Node's `diagnostics_channel` what happens to runs, workers and events.

const { channel } = require("diagnostics_channel");

/** @param {string} name */
const named = (name) => channel(`sonic-distribute:${name}`);

const channels = {
  runStart: named("run:start"),
  runEnd: named("run:end"),
  runError: named("run:error"),
  workerStart: named("worker:start"),
  workerReady: named("worker:ready"),
  workerExit: named("worker:exit"),
  taskEnd: named("task:end"),
  taskFailed: named("task:failed"),
};

/** @typedef {keyof typeof channels} Channel */

/** @param {Channel} name @param {() => object} message called only if somebody subscribes */
function publish(name, message) {
  const to = channels[name];
  if (to.hasSubscribers) to.publish(message());
}

/** The channel itself, for whoever subscribes. @param {Channel} name */
const channelOf = (name) => channels[name];

/** Whether anybody subscribes to events. */
const areTasksWanted = () => channels.taskEnd.hasSubscribers || channels.taskFailed.hasSubscribers;

module.exports = { areTasksWanted, channelOf, publish };

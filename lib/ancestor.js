"use strict";
// What the environment asks to see is meant for the program that it was set for. What that program starts inherits
// it, and may have runs of its own: those are neither drawn over the first one's nor written over its files.

const { variable } = require("./own");

/** The variable in which a program that was asked leaves its pid to those that it starts. */
const VARIABLE = "SONIC_DISTRIBUTE_SHOWN";

/** Whether a program that has started this one, however far up, was asked the same. Asked before a run of this one. */
function isAsked() {
  const pid = variable(VARIABLE);
  if (pid !== undefined) return pid !== String(process.pid);
  process.env[VARIABLE] = String(process.pid);
  return false;
}

module.exports = { isAsked };

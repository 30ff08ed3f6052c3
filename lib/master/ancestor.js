"use strict";
// Progress and files that the environment asks for are the first program's. Programs that it starts inherit the variables and may
// have runs of their own, which must neither draw over the first one's nor overwrite its files.

const { variable } = require("../shared/own");

/** The variable in which the first program leaves its pid to those that it starts. */
const VARIABLE = "SONIC_DISTRIBUTE_SHOWN";

/** Whether a program that has started this one, however far up, was asked before. */
function isAsked() {
  const pid = variable(VARIABLE);
  if (pid !== undefined) return pid !== String(process.pid);
  process.env[VARIABLE] = String(process.pid);
  return false;
}

module.exports = { isAsked };

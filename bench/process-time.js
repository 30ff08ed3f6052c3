"use strict";
// What processes have used of the processors. Linux only.

const fs = require("node:fs");

/** Milliseconds of one tick of /proc. */
const TICK = 10;

/** Milliseconds of processor time that a process has used. @param {number} pid */
function usedBy(pid) {
  const text = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

module.exports = { usedBy };

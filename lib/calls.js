"use strict";
// Which call of the program is which. A worker re-runs the program and serves one of its calls: the
// calls are counted in the order in which they are reached, in the master and in the workers alike.

let calls = 0;

/** The number of a call that begins now; the program's first is 0. */
const nextCall = () => calls++;

module.exports = { nextCall };

"use strict";
// Which call of the program is which, and where the program began. A worker re-runs the program and
// serves one of its calls: the calls are counted in the order in which they are reached, in the master and
// in the workers alike.

let calls = 0;

/** The number of a call that begins now; the program's first is 0. */
const nextCall = () => calls++;

/** The folder that this process is in; none if it has been removed. */
function folder() {
  try {
    return process.cwd();
  } catch (_) {
    return undefined;
  }
}

const first = folder();

/** Whether the process is where it was when the package was loaded. */
const isWhereItBegan = () => first !== undefined && folder() === first;

module.exports = { nextCall, isWhereItBegan };

"use strict";
// Where the program began, for whoever asks later whether it is still there.

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

module.exports = { isWhereItBegan };

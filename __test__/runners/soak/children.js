"use strict";
// A process's children, as the system lists them: by the thread that started them.
const fs = require("fs");

/** @param {number} pid @returns {number[]} */
function childrenOf(pid) {
  return read(() => fs.readdirSync(`/proc/${pid}/task`), []).flatMap((task) =>
    read(() => fs.readFileSync(`/proc/${pid}/task/${task}/children`, "utf8"), "")
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
}

/** What ends while it is looked at has nothing. */
function read(look, nothing) {
  try {
    return look();
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return nothing;
    throw error;
  }
}

module.exports = { childrenOf };

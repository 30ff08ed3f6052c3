"use strict";
/** Kills one worker of an example in the midst of an event. It makes the text of a module for `node -r`, and runs nothing. */

/**
 * Kills the first worker that begins its `n`th event. The file `mark` is there then.
 * @param {number} n
 * @param {string} mark
 */
const killAt = (n, mark) => `
  let events = 0;
  const begun = () => {
    if (++events !== ${n}) return;
    try {
      require("node:fs").writeFileSync(${JSON.stringify(mark)}, "", { flag: "wx" });
    } catch {
      return;
    }
    process.kill(process.pid, "SIGKILL");
  };
  if (require("node:cluster").isWorker) process.on("message", begun);`;

module.exports = { killAt };

"use strict";
const { Delay, getLogger, getWorkerName, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

(async () => {
  report({ isMaster: isMaster(), name: getWorkerName(), delay: Delay() instanceof Promise });
  report([await Delay(), await Delay(5)]);
  const log = getLogger("MINE");
  report([
    log("text", "a date"),
    log({ an: "object" }, "d"),
    log(undefined, null),
    log(["a", 1], "d"),
  ]);
  getLogger("MASTER")("looks like a line of the library");
  process.env.QUIET = "yes";
  report(log("unseen", "d"));
  process.env.QUIET = "";
  log("an empty QUIET is no QUIET", "d");
})();

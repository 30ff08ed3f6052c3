"use strict";
// Shows the core's own log on stderr, if `SONIC_LOG` asks for it.

const { native } = require("../shared/native");
const { variable } = require("../shared/own");

let isShown = false;

/** From the first pool of a process on. */
function showLog() {
  const filter = variable("SONIC_LOG");
  if (isShown || filter === undefined || filter === "") return;
  isShown = true;
  const wrong = native().logShow(filter);
  if (wrong !== null) {
    console.error(`@tiemma/sonic-distribute: SONIC_LOG=${filter} is not a filter: ${wrong}`);
  }
}

module.exports = { showLog };

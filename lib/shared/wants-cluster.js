"use strict";
// Whether a call of the program is to use several machines, before anything is loaded for that.

const { hasOwn, variable } = require("./own");

/** @param {unknown} [options] which were not checked */
function wantsCluster(options) {
  if (options !== null && typeof options === "object" && hasOwn(options, "cluster")) {
    const { cluster } = /** @type {{ cluster: unknown }} */ (options);
    if (cluster !== undefined) return true;
  }
  return Boolean(variable("SONIC_CLUSTER"));
}

module.exports = { wantsCluster };

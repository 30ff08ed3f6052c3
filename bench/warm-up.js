"use strict";
// The warm-up message. A worker replies with its name, before the clock starts. No workload has such data.

const WARM_UP = "who are you?";

module.exports = { WARM_UP };

"use strict";
// What is sent to a worker before the clock starts, to be told who it is. No workload has such data.

const WARM_UP = "who are you?";

module.exports = { WARM_UP };

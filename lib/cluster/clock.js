"use strict";
// How much time has passed, in milliseconds since some moment: unlike the time of day nobody sets it, and it is only compared within
// this process. As it was when this was loaded.

const { performance } = require("perf_hooks");

const elapsed = performance.now.bind(performance);

module.exports = { elapsed };

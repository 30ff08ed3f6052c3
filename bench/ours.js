"use strict";
// The package that is measured: as it is installed (installed.js) where run.js says so, else the tree.

module.exports = require(process.env.BENCH_PACKAGE ?? "..");

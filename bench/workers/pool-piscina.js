"use strict";
// The worker of piscina in bench/pool.js.

module.exports = (data) => data + 1;

"use strict";
// The worker of poolifier's cluster pool, which awaits only async functions.

const { ClusterWorker } = require("poolifier");
const { introduce, serve } = require("../serve");

module.exports = new ClusterWorker({ serve, introduce });

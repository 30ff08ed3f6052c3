"use strict";
// The worker of poolifier's cluster pool. It awaits only functions that are async.

const { ClusterWorker } = require("poolifier");
const { introduce, serve } = require("../serve");

module.exports = new ClusterWorker({ serve, introduce });

"use strict";
// The worker of workerpool, which calls registered functions.

const workerpool = require("workerpool");
const { serve } = require("../serve");

workerpool.worker({ serve });

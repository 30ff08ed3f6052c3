"use strict";
// The worker of jest-worker, which calls exported functions by name.

const { serve } = require("../serve");

module.exports = { serve };

"use strict";
// The worker of jest-worker, which calls the functions that a module exports by their names.

const { serve } = require("../serve");

module.exports = { serve };

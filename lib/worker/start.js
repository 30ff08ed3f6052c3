"use strict";
// The script of a worker that runs a worker file: joins the master, and has Node run the file as it runs any program. That is later than
// an option of Node could: whatever else such options load, loaders for example, is there by then.

const { runMain } = require("module");

// Nothing of this script is left for the file to see: its own path follows.
process.argv.splice(1, 1);
process.mainModule = undefined;
require("../..");
runMain();

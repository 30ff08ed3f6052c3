"use strict";
// One run of one contestant in its own process: `node trial.js NAME`, with the job in the environment.
// Prints one line, `RESULT {…}`. Workers of pools that run their program again run this file too.

const job = require("./job");

/** `with+trace` means the feature `trace`. */
const [name, feature] = process.argv[2].split("+");

require(`./contestants/${name}`)
  .run(job, feature)
  .then((outcome) => {
    // A worker that runs the program again has no outcome.
    if (outcome) process.stdout.write(`RESULT ${JSON.stringify(outcome)}\n`);
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });

"use strict";
// One run of one contestant, in a process of its own: `node trial.js NAME`, with the job in the
// environment. Prints one line, `RESULT {…}`. Workers of pools that re-run their program come here too.

const job = require("./job");

const [, , name] = process.argv;

require(`./contestants/${name}`)
  .run(job)
  .then((outcome) => {
    // A worker that re-runs the program has none.
    if (outcome) process.stdout.write(`RESULT ${JSON.stringify(outcome)}\n`);
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });

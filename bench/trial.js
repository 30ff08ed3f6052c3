"use strict";
// One run of one contestant, in a process of its own: `node trial.js NAME`, with the job in the
// environment. Prints one line, `RESULT {…}`. Workers of pools that re-run their program come here too.

const job = require("./job");

/** `with+trace`: what it is with. */
const [name, feature] = process.argv[2].split("+");

require(`./contestants/${name}`)
  .run(job, feature)
  .then((outcome) => {
    // A worker that re-runs the program has none.
    if (outcome) process.stdout.write(`RESULT ${JSON.stringify(outcome)}\n`);
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });

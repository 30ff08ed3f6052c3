"use strict";
/**
 * What the workers of the server run, and nothing else. Each exported function is a stage.
 */

// Ctrl-C in a terminal reaches the workers too. The server decides when they end.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});

/** How many primes are below a number: work that would block the server. */
exports.countPrimes = ({ data: below }) => {
  const composite = new Uint8Array(below);
  let primes = 0;
  for (let n = 2; n < below; n++) {
    if (composite[n]) continue;
    primes++;
    for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1;
  }
  return primes;
};

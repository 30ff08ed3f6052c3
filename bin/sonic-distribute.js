#!/usr/bin/env node
"use strict";
// The command line: `npx @tiemma/sonic-distribute doctor` and `… init`.

const { hasOwn } = require("../lib/own");

const USAGE = `npx @tiemma/sonic-distribute COMMAND

  doctor             checks that this machine can run the package, and runs it with two workers
  init [FILE]        writes a program to start with (map-reduce.js, or .mjs or .ts as FILE ends)
  --help             this text`;

/** Each loads its own part, and returns the exit code or a promise of it.
 * @type {Record<string, (rest: string[]) => number | Promise<number>>} */
const COMMANDS = {
  doctor: (rest) => (rest.length === 0 ? require("./doctor").doctor() : unknown(rest[0])),
  init: ([file, ...more]) => (more.length === 0 ? require("./init").init(file) : unknown(more[0])),
};

/** @param {string} word */
function unknown(word) {
  console.error(`sonic-distribute: ${word} is not understood here\n\n${USAGE}`);
  return 2;
}

async function main() {
  const [command, ...rest] = process.argv.slice(2);
  if (command === "--help" || command === "-h") {
    console.log(USAGE);
    return 0;
  }
  if (command === undefined) {
    console.error(USAGE);
    return 2;
  }
  if (!hasOwn(COMMANDS, command)) return unknown(command);
  return COMMANDS[command](rest);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);

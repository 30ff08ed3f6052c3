#!/usr/bin/env node
"use strict";
// The command line: `npx @tiemma/sonic-distribute doctor`, `… init`, `… compare`, `… host` and `… hosts`.

const { nearest } = require("../lib/shared/nearest");
const { hasOwn } = require("../lib/shared/own");

const USAGE = `npx @tiemma/sonic-distribute COMMAND

  doctor             checks that this machine can run the package, with a test run of two workers
  init [FILE]        writes a first program: to map-reduce.js, or to a FILE that ends with .js, .cjs, .mjs, .ts, .cts
                     or .mts. It is an ES module or CommonJS, as your project needs it
  compare A B        shows the figures of two runs side by side, of whose reports (the option report) these are the files
  host PROGRAM       has this machine's workers take part in the runs of a PROGRAM on another machine (host --help)
  hosts              lists the hosts that a broker knows
  -v, --version      prints the version of the package
  -h, --help         prints this text`;

/** Each command loads its own module, and returns the exit code or a promise of it.
 * @type {Record<string, (...words: string[]) => number | Promise<number>>} */
const COMMANDS = {
  doctor: () => require("./doctor").doctor(),
  init: (file) => require("./init").init(file),
  compare: (first, second) => require("./compare").compare(first, second),
};

/** Commands with options of their own.
 * @type {Record<string, (words: string[]) => Promise<number>>} */
const WITH_OPTIONS = {
  host: (words) => require("./host").host(words),
  hosts: (words) => require("./host").hosts(words),
};

/** How many arguments each command needs, and takes.
 * @type {Record<string, [number, number]>} */
const WORDS = { doctor: [0, 0], init: [0, 1], compare: [2, 2] };

/** @type {Record<string, () => void>} */
const OPTIONS = {
  "--help": () => console.log(USAGE),
  "-h": () => console.log(USAGE),
  "--version": () => console.log(require("../package.json").version),
  "-v": () => console.log(require("../package.json").version),
};

/** No suggestions for words up to this length: they are all similar to each other. */
const SHORT = 2;

/**
 * @param {string} text
 * @param {string} [word] the word that may be mistyped
 */
function refuse(text, word = "") {
  const known = [...Object.keys(COMMANDS), ...Object.keys(WITH_OPTIONS), ...Object.keys(OPTIONS)];
  const meant = word.length > SHORT ? nearest(word, known) : undefined;
  console.error(`sonic-distribute: ${text}${meant ? `: did you mean ${meant}?` : ""}\n\n${USAGE}`);
  return 2;
}

/** @param {string[]} args */
async function main(args) {
  if (args.length > 0 && hasOwn(WITH_OPTIONS, args[0])) return WITH_OPTIONS[args[0]](args.slice(1));
  const option = args.find((word) => word.startsWith("-"));
  if (option !== undefined) {
    if (!hasOwn(OPTIONS, option)) {
      return refuse(`there is no option ${option}`, option);
    }
    OPTIONS[option]();
    return 0;
  }
  const [command, ...rest] = args;
  if (command === undefined) {
    console.error(USAGE);
    return 2;
  }
  if (!hasOwn(COMMANDS, command)) {
    return refuse(`there is no command ${command}`, command);
  }
  const [least, most] = WORDS[command];
  if (rest.length > most) return refuse(`${command} takes no ${rest[most]}`);
  if (rest.length < least) return refuse(`${command} needs ${least} arguments, got ${rest.length}`);
  return COMMANDS[command](...rest);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);

"use strict";
// The commands for many machines: `host` has this machine's workers take part in a program's runs elsewhere, and `hosts` lists those
// that do.

const fs = require("fs");
const http = require("http");
const os = require("os");
const path = require("path");
const { Broker } = require("../lib/cluster/broker");
const { Host } = require("../lib/cluster/host");
const { checkCluster, clusterOfEnvironment } = require("../lib/shared/broker-options");
const { checkTags } = require("../lib/shared/groups");
const { native } = require("../lib/shared/native");
const { nearest } = require("../lib/shared/nearest");
const { hasOwn } = require("../lib/shared/own");
const { plural } = require("../lib/shared/plural");

const HOST_USAGE = `npx @tiemma/sonic-distribute host [OPTIONS] PROGRAM [ARGS]

  --cluster URL        the broker: redis://…, rediss://… or postgres://… (by default what SONIC_CLUSTER says)
  --prefix NAME        what the broker's keys begin with (sonic)
  --timeout MS         how long the broker may be away (60000)
  --lease MS           how long a master may be silent (10000): the same as the masters' option
  --workers N          how many workers (by default one for each processor)
  --concurrency N      how many events a worker runs at once (by default as the masters' option says)
  --tags A,B           what events may ask for that only some hosts have, such as gpu (none)
  --exclusive          takes only events that ask for tags
  --spill-dir DIR      where flows write what is too large for memory: a folder that all hosts and the master share (none)
  --name NAME          what messages call this host (by default the machine's name)
  --health PORT        answers GET /health on that port: 200 while the broker is there, 503 otherwise`;

const HOSTS_USAGE = `npx @tiemma/sonic-distribute hosts [--cluster URL] [--prefix NAME] [--timeout MS]`;

/** Exit codes. */
const BROKER_GONE = 3;
const USAGE = 2;

/** The most workers of a host. */
const MOST_WORKERS = 4094;
const MOST_CONCURRENCY = 1024;
const MOST_PORT = 65535;

/** A wrong command line. */
class Wrong extends Error {}

/** @typedef {Record<string, string>} Given */

/** Options by their names, and what follows them. @param {string[]} words @param {string[]} names @param {string[]} flags those that have no value @returns {{ given: Given, rest: string[] }} */
function parsed(words, names, flags = []) {
  /** @type {Given} */
  const given = Object.create(null);
  let at = 0;
  for (; at < words.length && words[at].startsWith("--"); at++) {
    const [name, inline] = words[at].slice(2).split(/=(.*)/s);
    if (flags.includes(name)) {
      if (inline !== undefined)
        throw new Wrong(`--${name} takes no value, got ${inline}: write it alone, or leave it out`);
      given[name] = "";
      continue;
    }
    if (!names.includes(name)) {
      const meant = nearest(name, names);
      throw new Wrong(`there is no option --${name}${meant ? `: did you mean --${meant}?` : ""}`);
    }
    const value = inline === undefined ? words[++at] : inline;
    const isMissing = value === undefined || (inline === undefined && value.startsWith("--"));
    if (isMissing || value.trim() === "") throw new Wrong(`--${name} needs a value`);
    given[name] = value;
  }
  return { given, rest: words.slice(at) };
}

/** @param {Given} given @param {string} name @param {number} most */
function count(given, name, most) {
  if (!hasOwn(given, name)) return undefined;
  const value = Number(given[name]);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Wrong(`--${name} must be a whole number from 1 to ${most}, got ${given[name]}`);
}

/** @param {Given} given @returns {string[]} */
function tagsOf({ tags = "" }) {
  if (tags === "") return [];
  try {
    return checkTags("--tags", tags.split(","));
  } catch (error) {
    throw new Wrong(/** @type {Error} */ (error).message);
  }
}

/** @param {Given} given */
function brokerOf(given) {
  /** @type {any} */
  const options = {};
  if (hasOwn(given, "cluster")) options.url = given.cluster;
  else {
    const known = clusterOfEnvironment();
    if (known === undefined)
      throw new Wrong("which broker? Give --cluster URL, or set SONIC_CLUSTER");
    options.url = known.url;
  }
  if (hasOwn(given, "prefix")) options.prefix = given.prefix;
  for (const name of ["timeout", "lease"])
    if (hasOwn(given, name)) options[name] = Number(given[name]);
  try {
    return checkCluster("--cluster", options);
  } catch (error) {
    throw new Wrong(/** @type {Error} */ (error).message);
  }
}

/** @param {string[]} words @returns {Promise<number>} the exit code */
async function host(words) {
  if (words.includes("--help") || words.includes("-h")) return usage(HOST_USAGE);
  return guarded(HOST_USAGE, async () => {
    const names = [
      "cluster",
      "prefix",
      "timeout",
      "lease",
      "workers",
      "concurrency",
      "tags",
      "exclusive",
      "spill-dir",
      "name",
      "health",
    ];
    const { given, rest } = parsed(words, names, ["exclusive"]);
    const [program, ...args] = rest;
    if (program === undefined) throw new Wrong("which program? Name its main file");
    const file = fileOf(program);
    const cluster = brokerOf(given);
    const numWorkers = count(given, "workers", MOST_WORKERS) || native().usableProcessors();
    const concurrency = count(given, "concurrency", MOST_CONCURRENCY);
    const port = count(given, "health", MOST_PORT);
    const tags = tagsOf(given);
    const { name = os.hostname() } = given;
    const spillDir = hasOwn(given, "spill-dir") ? path.resolve(given["spill-dir"]) : undefined;
    const say = (/** @type {string} */ text) =>
      console.log(`${new Date().toISOString()}: host ${name}: ${text}`);
    // What workers re-run, with its own arguments.
    process.argv = [process.argv[0], file, ...args];
    const isExclusive = hasOwn(given, "exclusive");
    if (isExclusive && tags.length === 0) throw new Wrong("--exclusive needs --tags");
    const how = { numWorkers, tags, isExclusive, concurrency, spillDir };
    const serving = new Host({ program: file, name, ...how, cluster, say });
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => serving.end());
    const health = port === undefined ? undefined : await listen(serving, port);
    try {
      await serving.serve();
      say("has stopped");
      return 0;
    } finally {
      if (health !== undefined) health.close();
    }
  });
}

/** @param {string} program */
function fileOf(program) {
  const file = path.resolve(program);
  try {
    return require.resolve(file);
  } catch (_) {
    if (fs.existsSync(file)) return file;
    throw new Wrong(`there is no program ${program}`);
  }
}

/** @param {InstanceType<typeof Host>} serving @param {number} port @returns {Promise<import("http").Server>} */
function listen(serving, port) {
  const server = http.createServer((_, response) => {
    const isWell = serving.broker.isReady && !serving.isEnding;
    response.writeHead(isWell ? 200 : 503, { "content-type": "application/json" });
    response.end(`${JSON.stringify({ ready: isWell, serves: serving.sessions.size })}\n`);
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve(server));
  });
}

/** @param {string[]} words @returns {Promise<number>} the exit code */
async function hosts(words) {
  if (words.includes("--help") || words.includes("-h")) return usage(HOSTS_USAGE);
  return guarded(HOSTS_USAGE, async () => {
    const { given, rest } = parsed(words, ["cluster", "prefix", "timeout"]);
    if (rest.length > 0) throw new Wrong(`hosts takes no ${rest[0]}`);
    const broker = await new Broker(brokerOf(given), (text) => console.error(text)).open();
    try {
      const all = await Host.listed(broker);
      for (const { name, workers, tags, running, serves, fingerprint } of all) {
        const has = tags.length === 0 ? "" : `tags ${tags.join(", ")}, `;
        console.log(
          `${name}: ${plural(workers, "worker")}, ${has}${plural(running, "event")}, serves ${serves}, ${fingerprint}`,
        );
      }
      console.log(plural(all.length, "host"));
      return 0;
    } finally {
      await broker.close();
    }
  });
}

/** @param {string} text */
function usage(text) {
  console.log(text);
  return 0;
}

/** @param {string} text how it is used @param {() => Promise<number>} run */
async function guarded(text, run) {
  try {
    return await run();
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (error instanceof Wrong) {
      console.error(`sonic-distribute: ${message}\n\n${text}`);
      return USAGE;
    }
    if (code === undefined) throw error;
    console.error(`sonic-distribute: ${message}`);
    return code === "ERR_SONIC_BROKER" ? BROKER_GONE : 1;
  }
}

module.exports = { host, hosts };

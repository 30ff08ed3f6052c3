"use strict";
// Loads what many machines need and one does not: BullMQ and a client of the broker, which the program installs beside this package.

const { coded } = require("../shared/errors");
const { load, program } = require("../shared/home");
const { createRequire } = require("module");

/** The oldest version of BullMQ whose queues this package knows. */
const OLDEST = 6;

/** The first version of Node for the newest ioredis; older ones take the one before. */
const NODE = 20;

const IOREDIS = Number.parseInt(process.versions.node, 10) < NODE ? "ioredis@5" : "ioredis";

/** What is needed for Redis. @returns {{ bullmq: any, Redis: any }} */
function packages() {
  const install = `npm install bullmq@6 ${IOREDIS}`;
  const bullmq = loaded("bullmq", install);
  const ioredis = loaded("ioredis", install);
  return { bullmq, Redis: ioredis.default || ioredis };
}

/** What is needed for PostgreSQL. @returns {{ bullmq: any, pg: any }} */
function postgresPackages() {
  const install = "npm install bullmq@6 pg";
  return { bullmq: loaded("bullmq", install), pg: loaded("pg", install) };
}

/** From beside this package, or from beside the program where this package is linked into it. @param {string} name @param {string} install */
function loaded(name, install) {
  for (const from of [load, createRequire(program())]) {
    try {
      if (name === "bullmq") checkVersion(from(`${name}/package.json`).version, install);
      return from(name);
    } catch (error) {
      const { code, message } = Object(error);
      const isMissing = code === "MODULE_NOT_FOUND" && String(message).includes(`'${name}`);
      if (!isMissing) throw error;
    }
  }
  throw coded(
    Error,
    "ERR_SONIC_CLUSTER_PACKAGES",
    `cluster needs the package ${name}, which is not installed: ${install}`,
  );
}

/** @param {string} version @param {string} install */
function checkVersion(version, install) {
  if (Number.parseInt(version, 10) === OLDEST) return;
  throw coded(
    Error,
    "ERR_SONIC_CLUSTER_PACKAGES",
    `cluster needs bullmq ${OLDEST}, and ${version} is installed: ${install}`,
  );
}

module.exports = { packages, postgresPackages };

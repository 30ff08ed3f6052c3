"use strict";
// Loads what many machines need and one does not: BullMQ and ioredis, which the program installs beside this package.

const { coded } = require("../shared/errors");
const { load, program } = require("../shared/home");
const { createRequire } = require("module");

const PACKAGES = ["bullmq", "ioredis"];

/** The oldest version of BullMQ whose queues this package knows. */
const OLDEST = 6;

/** The first version of Node for the newest ioredis; older ones take the one before. */
const NODE = 20;

const INSTALL = `npm install bullmq@6 ioredis${Number.parseInt(process.versions.node, 10) < NODE ? "@5" : ""}`;

/** @returns {{ bullmq: any, Redis: any }} */
function packages() {
  const [bullmq, ioredis] = PACKAGES.map(loaded);
  return { bullmq, Redis: ioredis.default || ioredis };
}

/** From beside this package, or from beside the program where this package is linked into it. @param {string} name */
function loaded(name) {
  for (const from of [load, createRequire(program())]) {
    try {
      if (name === "bullmq") checkVersion(from(`${name}/package.json`).version);
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
    `cluster needs the package ${name}, which is not installed: ${INSTALL}`,
  );
}

/** @param {string} version */
function checkVersion(version) {
  if (Number.parseInt(version, 10) === OLDEST) return;
  throw coded(
    Error,
    "ERR_SONIC_CLUSTER_PACKAGES",
    `cluster needs bullmq ${OLDEST}, and ${version} is installed: ${INSTALL}`,
  );
}

module.exports = { packages };

"use strict";
// Checks the option `cluster`: the broker's URL, or an object with that and how to use it. Opens no connection.

const { URL } = require("url");
const { being, checkProperties, isObject, number, wrongType } = require("./checks");
const { coded, invalidType, shown } = require("./errors");
const { hasOwn, ownOf, variable } = require("./own");
const { pointAt, siteOf } = require("./stack");

/** Milliseconds for which a broker may be away. */
const TIMEOUT = 60e3;

/** Milliseconds after which a host or a master that has said nothing is given up. */
const LEASE = 10e3;
const SHORTEST_LEASE = 1000;

const LONGEST = 2 ** 31 - 1;

/** Those of Redis and Valkey. */
const PROTOCOLS = ["redis:", "rediss:"];

/** What all keys of this package begin with. */
const PREFIX = "sonic";

/** @typedef {{ url: string, timeout: number, lease: number, prefix: string, tls: object | undefined }} BrokerOptions */

const milliseconds = (/** @type {number} */ least) =>
  number(
    `a number of milliseconds from ${least} to ${LONGEST}`,
    (value) => value >= least && value <= LONGEST,
  );

/** @type {Record<string, import("./checks").Check>} */
const CHECKS = {
  url: checkUrl,
  timeout: milliseconds(1),
  lease: milliseconds(SHORTEST_LEASE),
  prefix: being(
    "a string of 1 to 100 letters, digits and the characters _ . -",
    (value) => typeof value === "string" && /^[\w.-]{1,100}$/.test(value),
  ),
  tls: being("an object of options for tls.connect", isObject),
};

/** @param {string} name @param {unknown} value */
function checkUrl(name, value) {
  const must = 'a URL such as "redis://127.0.0.1:6379"';
  if (typeof value !== "string") throw wrongType(name, must, value);
  let protocol;
  try {
    ({ protocol } = new URL(value));
  } catch (_) {
    // It may have a password.
    throw invalidType(`${name} must be ${must}, and this is none`);
  }
  if (PROTOCOLS.includes(protocol) || isPostgres(value)) return;
  throw invalidType(
    `${name} must begin with redis: or rediss: (Redis or Valkey), or postgres: (PostgreSQL): got ${shown(protocol)}`,
  );
}

/** @param {string} url */
const isPostgres = (url) => /^postgres(ql)?:/i.test(url);

/** @param {string} name @param {unknown} value @returns {BrokerOptions} */
function checkCluster(name, value) {
  const isWhole = isObject(value);
  const given = isWhole
    ? checkProperties(name, value, CHECKS)
    : checkProperties(name, { url: value }, { url: (_, url) => checkUrl(name, url) });
  if (!hasOwn(given, "url")) checkUrl(`${name}.url`, given.url);
  const defaults = { timeout: TIMEOUT, lease: LEASE, prefix: PREFIX, tls: undefined };
  return ownOf(defaults, given);
}

/** What the environment says, if the options say nothing. @returns {BrokerOptions | undefined} */
function clusterOfEnvironment() {
  const url = variable("SONIC_CLUSTER");
  return url === undefined || url === "" ? undefined : checkCluster("SONIC_CLUSTER", url);
}

/** Where several machines are asked for that cannot take part. @param {Function} called what the program has called */
function notByHand(called) {
  const message =
    "initMaster and configureWorkers run on one machine, and SONIC_CLUSTER is set: unset it, or use MapReduce";
  return pointAt(coded(Error, "ERR_SONIC_CLUSTER", message), siteOf(called));
}

module.exports = { checkCluster, clusterOfEnvironment, isPostgres, notByHand };

"use strict";
// Checks where a program's dashboard is to be: the option `dashboard` and the variable of the same meaning. Starts nothing.

const { checkProperties, number, wrongType } = require("./checks");
const { invalidType } = require("./errors");

/** The port of a dashboard that names none: the same one each time, so that an open page finds the next run. */
const PORT = 9000;

/** The addresses that only this machine reaches. */
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

/** A shorter token could be guessed. */
const SHORTEST_TOKEN = 16;

const THE_PORT = "a whole number from 0 to 65535";

/** @typedef {{ host: string, port: number, token?: string }} Place */

const isPort = (/** @type {number} */ value) =>
  Number.isInteger(value) && value >= 0 && value <= 65535;

const checkPort = number(THE_PORT, isPort);

const CHECKS = {
  /** @param {string} name @param {unknown} value */
  host(name, value) {
    if (typeof value !== "string" || value === "")
      throw wrongType(name, "a host name or an address", value);
  },
  port: checkPort,
  /** @param {string} name @param {unknown} value */
  token(name, value) {
    const must = `a string of at least ${SHORTEST_TOKEN} letters, digits, - and _`;
    if (typeof value !== "string") throw wrongType(name, must, value);
    // It is not shown.
    if (value.length < SHORTEST_TOKEN || /[^\w-]/.test(value))
      throw invalidType(`${name} must be ${must}`);
  },
};

/** @param {string} host */
const isLoopback = (host) => LOOPBACK.includes(host);

/**
 * @param {string} name as an error names it
 * @param {any} value
 * @returns {Place | false}
 */
function checkDashboard(name, value) {
  if (value === false) return false;
  if (value === true) return { host: LOOPBACK[0], port: PORT };
  if (typeof value === "number") {
    checkPort(name, value);
    return { host: LOOPBACK[0], port: value };
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw wrongType(name, "true, false, a port or an object", value);
  const { host = LOOPBACK[0], port = PORT, token } = checkProperties(name, value, CHECKS);
  if (!isLoopback(host) && token === undefined) {
    throw invalidType(
      `${name}.host is ${host}, which other machines may reach: add a token, without which nobody sees the dashboard, or use ${LOOPBACK[0]}`,
    );
  }
  return { host, port, token };
}

/** Values of the variable that ask for nothing. */
const OFF = ["", "0", "false", "no", "off"];

/**
 * What the environment asks for: a port, or a host and a port.
 * @param {string} name of the variable
 * @param {string} text
 * @param {string | undefined} token
 * @returns {Place | false}
 */
function placeIn(name, text, token) {
  if (OFF.includes(text)) return false;
  const at = text.lastIndexOf(":");
  const own = at < 0 ? {} : { host: text.slice(0, at).replace(/^\[(.*)\]$/, "$1") };
  const last = text.slice(at + 1);
  const isOn = at < 0 && ["1", "true", "yes", "on"].includes(last);
  if (!isOn && (!/^\d+$/.test(last) || !isPort(Number(last))))
    throw wrongType(name, `1, a port or host:port, with ${THE_PORT} as the port`, text);
  const port = isOn ? {} : { port: Number(last) };
  return checkDashboard(name, { ...own, ...port, ...(token ? { token } : {}) });
}

module.exports = { checkDashboard, isLoopback, placeIn };

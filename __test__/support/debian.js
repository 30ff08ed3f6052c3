"use strict";
/** Debian's packages that a test needs. */
const { execFileSync } = require("node:child_process");

/** How often it is tried: another test's program may install something at that moment. */
const TRIES = 60;
const BETWEEN = 2000;

/** A machine that CI starts with has none of them; whoever may install them gets them. */
function install(...packages) {
  if (process.env.CI === undefined || process.getuid() !== 0) return;
  if (packages.every(isThere)) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) => execFileSync("apt-get", ["-qq", ...args], { stdio: "ignore", env });
  for (let left = TRIES; ; left--) {
    try {
      apt("update");
      apt("install", "--no-install-recommends", "--yes", ...packages);
      return;
    } catch (error) {
      if (left === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN);
    }
  }
}

/** @param {string} name of a package */
function isThere(name) {
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own
    const args = ["-W", "-f=${db:Status-Status}", name];
    const stdio = /** @type {any} */ (["ignore", "pipe", "ignore"]);
    return execFileSync("dpkg-query", args, { stdio, encoding: "utf8" }) === "installed";
  } catch {
    return false;
  }
}

module.exports = { install };

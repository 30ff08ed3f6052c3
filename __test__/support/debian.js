"use strict";
/** Debian's packages that a test needs. */
const { execFileSync } = require("node:child_process");

/** A machine that CI starts with has none of them; whoever may install them gets them. */
function install(...packages) {
  if (process.env.CI === undefined || process.getuid() !== 0) return;
  const apt = (...args) =>
    execFileSync("apt-get", ["-qq", ...args], {
      stdio: "ignore",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  apt("update");
  apt("install", "--no-install-recommends", "--yes", ...packages);
}

module.exports = { install };

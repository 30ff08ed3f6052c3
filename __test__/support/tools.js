"use strict";
/**
 * Gets the tools that one spec alone needs from npm, in the versions that are named here, each into a folder of its own
 * in `node_modules/.cache/tools`: the project's own dependencies stay few.
 */
const path = require("path");

const { installOnce } = require("./packages");
const { MODULES } = require("./workspace");

const CACHE = path.join(MODULES, ".cache", "tools");

/** What is installed beside a tool comes after it. */
const TOOLS = {
  "@deno/linux-x64-glibc": ["2.9.6"],
  "@hapi/lab": ["26.0.1"],
  "@oven/bun-linux-x64-baseline": ["1.4.5"],
  "@playwright/test": ["1.65.1"],
  ava: ["7.0.0"],
  fastify: ["5.12.8"],
  jasmine: ["7.0.0"],
  "jest-worker": ["30.5.1"],
  jiti: ["2.7.0"],
  mocha: ["12.0.3"],
  "p-map": ["7.1.1"],
  piscina: ["5.3.2"],
  postject: ["1.0.0-alpha.6"],
  sharp: ["0.35.5"],
  tap: ["21.8.0"],
  tape: ["5.10.2"],
  tinypool: ["2.2.0"],
  uvu: ["0.5.6"],
  "vite-node": ["6.0.0", "vite@8.4.0"],
  "worker-farm": ["1.7.0"],
  workerpool: ["10.0.3"],
};

/**
 * The folder of an installed tool.
 * @param {keyof typeof TOOLS} name
 */
async function tool(name) {
  const [version, ...others] = TOOLS[name];
  const folder = path.join(CACHE, `${name.replace("/", "+")}@${version}`);
  await installOnce(folder, [`${name}@${version}`, ...others, "--force"]);
  return path.join(folder, "node_modules", name);
}

module.exports = { tool };

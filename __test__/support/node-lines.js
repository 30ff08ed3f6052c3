"use strict";
/**
 * Gets other lines of Node (14, 24, …) from npm, where each version's bare binary is a package of its
 * own. It owns the cache in `node_modules/.cache/nodes`.
 */
const fs = require("fs");
const path = require("path");

const { installOnce } = require("./packages");
const { MODULES } = require("./workspace");

const CACHE = path.join(MODULES, ".cache", "nodes");
const LINES = [14, 16, 18, 20, 22, 24, 26];

/**
 * npm's `node` package runs an install script that only fetches this one; newer npm runs no install
 * scripts of dependencies.
 */
const packageOf = (platform) => {
  const name = `${platform === "win32" ? "win" : platform}-${process.arch}`;
  return `${name === "darwin-arm64" ? "node-bin" : "node"}-${name}`;
};

/**
 * The path of the newest binary of a line, installed when it is not there yet.
 * @param {number} line
 * @param {string} platform
 * @returns {Promise<string>}
 */
async function nodeOfLine(line, platform = process.platform) {
  if (!LINES.includes(line)) throw new RangeError(`no line of Node is called ${line}`);
  const name = packageOf(platform);
  const folder = path.join(
    CACHE,
    platform === process.platform ? String(line) : `${line}-${platform}`,
  );
  const program = platform === "win32" ? "node.exe" : "node";
  const binary = path.join(folder, "node_modules", name, "bin", program);
  if (!fs.existsSync(binary)) await installOnce(folder, [`${name}@${line}`, "--force"]);
  return binary;
}

module.exports = { LINES, nodeOfLine };

"use strict";
// TypeScript in workers: 1.0.3 loads ts-node and tsconfig-paths into every worker. Here they are
// loaded when a worker first requires a `.ts` file that nothing else compiles.

const Module = require("module");
const path = require("path");

/** @type {Record<string, (module: NodeModule, filename: string) => any>} */
const extensions = /** @type {any} */ (Module)._extensions;

/** Arranges for it; costs nothing until a `.ts` file is required. */
function compileWhenNeeded() {
  const before = extensions[".ts"];
  if (before !== undefined && !isNodesOwn()) return;
  extensions[".ts"] = function compile(module, filename) {
    if (before === undefined) delete extensions[".ts"];
    else extensions[".ts"] = before;
    if (before !== undefined) {
      try {
        return before(module, filename);
      } catch (error) {
        // Node strips types, and cannot do more: enums, decorators, namespaces.
        if (!isUnsupported(error) || !registerTsNode(filename)) throw error;
      }
    } else if (!registerTsNode(filename)) {
      return extensions[".js"](module, filename);
    }
    return extensions[".ts"](module, filename);
  };
}

/** Whether `.ts` is Node's own business here. */
function isNodesOwn() {
  // @ts-ignore: newer than the types
  return Boolean(process.features.typescript);
}

/** @param {any} error */
const isUnsupported = (error) => Boolean(error) && error.code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";

/**
 * Loads ts-node, and tsconfig-paths where it is installed, as the file or the program would.
 * @param {string} filename
 */
function registerTsNode(filename) {
  const paths = [path.dirname(filename), process.cwd()];
  const tsNode = resolve("ts-node/register", paths);
  if (tsNode === undefined) return false;
  const tsconfigPaths = resolve("tsconfig-paths/register", paths);
  if (tsconfigPaths !== undefined) require(tsconfigPaths);
  require(tsNode);
  return true;
}

/**
 * @param {string} request
 * @param {string[]} paths
 */
function resolve(request, paths) {
  try {
    return require.resolve(request, { paths });
  } catch (_) {
    return undefined;
  }
}

module.exports = { compileWhenNeeded };

"use strict";
// Node's cluster module, with its type: Node's types give that to the default export alone.

/** @type {unknown} */
const cluster = require("cluster");

/**
 * A worker whose process is a `P`: one of Node's own, or a stand-in.
 * @template P
 * @typedef {import("cluster").Worker & { process: P, state: string }} Worker
 */
/**
 * What Node's types leave out.
 * @typedef {object} Undocumented
 * @property {new <P>(options: { id: number, process: P, state: string }) => Worker<P>} Worker
 * @property {(server: any, options: any, callback: (error: number, handle: any) => void) => void} _getServer
 */

module.exports = /** @type {import("cluster").Cluster & Undocumented} */ (cluster);

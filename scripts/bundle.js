"use strict";
/**
 * Makes one file of index.js and lib/: each module of lib/ costs every process 0.25 ms to find and open. Installs get it
 * as their index.js (scripts/package.js); the tree has none, so that nobody runs what was built before a change.
 *
 *   node scripts/bundle.js FILE
 *
 * It finds the package's other files only as the index.js of a whole package: beside lib/.
 */
const { build } = require("esbuild");
const path = require("node:path");

const ROOT = path.join(__dirname, "..");

/** Of the manifest the package reads its version alone. */
const version = {
  name: "version",
  setup({ onLoad }) {
    onLoad({ filter: /package\.json$/ }, ({ path: file }) => ({
      contents: JSON.stringify({ version: require(file).version }),
      loader: "json",
    }));
  },
};

/** @param {string} outfile */
async function main(outfile) {
  const names = Object.keys(require(ROOT));
  await build({
    absWorkingDir: ROOT,
    entryPoints: ["index.js"],
    outfile: path.resolve(outfile),
    bundle: true,
    platform: "node",
    format: "cjs",
    // The oldest that package.json allows: private fields must not become WeakMaps, which are slow, and programs replace them.
    target: "node14.17",
    charset: "utf8",
    // Each is looked for when the package runs.
    external: ["@tiemma/*"],
    define: { SONIC_DISTRIBUTE_IS_BUILT: "true" },
    banner: { js: "// Made of index.js and lib/ by scripts/bundle.js." },
    // By this `import { … }` sees the names.
    footer: { js: `0 && (module.exports = { ${names.join(", ")} });` },
    plugins: [version],
    logLevel: "warning",
  });
}

main(process.argv[2]);

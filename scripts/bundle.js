"use strict";
/**
 * Makes two files of index.js and lib/: each module of lib/ costs every process 0.25 ms to find and open, and V8 reads each character
 * of them before anything runs. Installs get the two in a folder of their own package (scripts/package.js); the tree has none, so
 * that nobody runs what was built before a change.
 *
 *   node scripts/bundle.js FOLDER
 *
 * FOLDER/index.js has what `MapReduce` needs, in the master or in a worker; FOLDER/lib/on-demand.js has the rest (pools, flows, locks,
 * reports), and is loaded when the program uses it. FOLDER is a whole package: they find its other files in its lib/.
 */
const { build } = require("esbuild");
const fs = require("node:fs");
const path = require("node:path");

const ROOT = path.join(__dirname, "..");

/** `MapReduce` needs these, in one role or the other, and what they require while they load. */
const NEEDED = ["index.js", "lib/master/api.js", "lib/worker/join.js"];

const ON_DEMAND = "./lib/on-demand.js";

/** A `require` that runs while its module loads; those in functions are indented, or behind an arrow. */
const WHILE_LOADING = /^\S.*= require\("(\.[^"]+)"\)/gm;

/** The same, and those in functions. */
const ANY = /require\("(\.[^"]+)"\)/g;

/** Modules, those that they require, and so on, by their paths in the package. @param {string[]} names @param {RegExp} pattern */
function closureOf(names, pattern) {
  const found = new Set(names);
  // The set grows while it is read.
  for (const name of found) for (const other of requiredBy(name, pattern)) found.add(other);
  return found;
}

/** @param {string} name @param {RegExp} pattern */
function requiredBy(name, pattern) {
  const text = fs.readFileSync(path.join(ROOT, name), "utf8");
  const all = [...text.matchAll(pattern)].map(([, other]) => nameOf(path.dirname(name), other));
  return all.filter((other) => other.endsWith(".js"));
}

/** @param {string} folder in the package @param {string} required from there */
function nameOf(folder, required) {
  const file = require.resolve(path.join(ROOT, folder, required));
  return path.relative(ROOT, file).split(path.sep).join("/");
}

/** The modules of index.js, and those of the other file. */
function split() {
  const needed = closureOf(NEEDED, WHILE_LOADING);
  const all = closureOf(NEEDED, ANY);
  return { needed, onDemand: new Set([...all].filter((name) => !needed.has(name))) };
}

/** Those that others require. @param {Set<string>} modules @param {Set<string>} others */
const usedBy = (modules, others) =>
  new Set([...others].flatMap((name) => requiredBy(name, ANY)).filter((name) => modules.has(name)));

/** An object of functions, each of which loads a module. @param {Iterable<string>} names */
const table = (names) =>
  `{ ${[...names].map((name) => `"${name}": () => require("./${name}")`).join(", ")} }`;

/**
 * Has one file's modules ask the other file's table for the modules in there.
 * @param {Set<string>} others
 * @param {string} tableOfOthers an expression
 * @param {string} [contents] of the module `on-demand`
 * @returns {import("esbuild").Plugin}
 */
const asking = (others, tableOfOthers, contents) => ({
  name: "asking",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\.?\/.*/ }, ({ path: required, resolveDir }) => {
      if (required === ON_DEMAND) return { path: required, external: true };
      const name = nameOf(path.relative(ROOT, resolveDir), required);
      return others.has(name) ? { path: name, namespace: "other" } : undefined;
    });
    onResolve({ filter: /^on-demand$/ }, ({ path: name }) => ({ path: name, namespace: name }));
    onLoad({ filter: /./, namespace: "other" }, ({ path: name }) => ({
      contents: `module.exports = ${tableOfOthers}["${name}"]();`,
    }));
    onLoad({ filter: /./, namespace: "on-demand" }, () => ({ contents, resolveDir: ROOT }));
  },
});

/** Of the manifest the package reads its version alone. @type {import("esbuild").Plugin} */
const version = {
  name: "version",
  setup({ onLoad }) {
    onLoad({ filter: /package\.json$/ }, ({ path: file }) => ({
      contents: JSON.stringify({ version: require(file).version }),
      loader: "json",
    }));
  },
};

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  format: "cjs",
  // The oldest that package.json allows: private fields must not become WeakMaps, which are slow, and programs replace them.
  target: "node14.17",
  // A single other character would make V8 read the whole file as UTF-16.
  charset: "ascii",
  // Each is looked for when the package runs.
  external: ["@tiemma/*"],
  define: { SONIC_DISTRIBUTE_IS_BUILT: "true" },
  logLevel: "warning",
};

const VERSION = require("../package.json").version;

/** For a server that was started before an update, and creates its first pool after that. */
const REPLACED = `@tiemma/sonic-distribute was updated to ${VERSION} while this program ran: start the program again`;

const MADE = "// Made of index.js and lib/ by scripts/bundle.js.";

/** @param {string} folder */
async function main(folder) {
  const { needed, onDemand } = split();
  const names = Object.keys(require(ROOT));
  const shared = table(usedBy(needed, onDemand));
  await build({
    ...common,
    entryPoints: ["index.js"],
    outfile: path.resolve(folder, "index.js"),
    banner: { js: MADE },
    // By this `import { … }` sees the names.
    footer: { js: `0 && (module.exports = { ${names.join(", ")} });` },
    plugins: [
      version,
      asking(
        onDemand,
        'require("on-demand")',
        `module.exports = require("${ON_DEMAND}")(${shared}, "${VERSION}");`,
      ),
    ],
  });
  await build({
    ...common,
    stdin: {
      contents: `module.exports = ${table(usedBy(onDemand, needed))};`,
      resolveDir: ROOT,
    },
    outfile: path.resolve(folder, ON_DEMAND),
    // It has nothing of its own, because a test runner may load several copies of index.js. In brackets V8 reads a function once.
    banner: {
      js: [
        '"use strict";',
        MADE,
        "module.exports = (function (needed, version) {",
        `if (version !== "${VERSION}") throw new Error(${JSON.stringify(REPLACED)});`,
        "const module = {};",
      ].join("\n"),
    },
    footer: { js: "return module.exports;\n});" },
    plugins: [version, asking(needed, "needed")],
  });
}

if (require.main === module) main(process.argv[2]);

module.exports = { split };

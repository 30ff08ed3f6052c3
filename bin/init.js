"use strict";
// Writes a first program, as the kind of module that Node takes the file for, and says how to run it.

const fs = require("fs");
const { createRequire } = require("module");
const path = require("path");
const { hasOwn } = require("../lib/shared/own");
const { NAME, starter } = require("./starter");

/** What each file extension means: the kind of module, if the extension alone decides it, and whether it has types.
 * @type {Record<string, { isModule?: boolean, isTyped: boolean }>} */
const ENDINGS = {
  ".js": { isTyped: false },
  ".cjs": { isModule: false, isTyped: false },
  ".mjs": { isModule: true, isTyped: false },
  ".ts": { isTyped: true },
  ".cts": { isModule: false, isTyped: true },
  ".mts": { isModule: true, isTyped: true },
};

/** The oldest major version of Node that runs tsx. */
const OLDEST_FOR_TSX = 18;

/** The settings that ts-node needs for ES modules. */
const ES_MODULES = '"compilerOptions": { "module": "esnext", "moduleResolution": "node" }';

/** The reason why nothing was written, and the exit code. */
class Refusal extends Error {
  /**
   * @param {number} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * @param {string} [file]
 * @returns {number} the exit code
 */
function init(file = "map-reduce.js") {
  try {
    console.log(write(file));
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`sonic-distribute: ${error.message}`);
    return error.code;
  }
}

/**
 * @param {string} file
 * @returns {string} the text to print
 */
function write(file) {
  const ending = path.extname(file);
  if (!hasOwn(ENDINGS, ending)) {
    const endings = Object.keys(ENDINGS).join(", ");
    throw new Refusal(2, `the file's name must end with one of ${endings}, got ${file}`);
  }
  const refuse = (/** @type {string} */ why) => new Refusal(1, `${file} was not written: ${why}`);

  const parent = path.dirname(path.resolve(file));
  if (!fs.existsSync(parent)) {
    const name = path.dirname(file);
    throw refuse(`there is no folder ${name}; make it first: mkdir -p ${word(name)}`);
  }
  const folder = fs.realpathSync(parent);
  const manifest = manifestAbove(folder);
  const { isTyped, isModule = manifest?.type === "module" } = ENDINGS[ending];
  if (manifest?.error) throw refuse(`${manifest.file} cannot be read: ${manifest.error}`);

  const isAmongModules = isModule || manifest?.type === "module";
  const { command, packages, setting } = runOf(file, folder, isTyped, isAmongModules);
  try {
    // Never overwrites a file.
    fs.writeFileSync(file, starter({ command, isModule, isTyped }), { flag: "wx" });
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    throw refuse(code === "EEXIST" ? "the file already exists" : message);
  }

  const steps = [];
  if (manifest === undefined) steps.push("npm init --yes");
  if (!isInstalled(NAME, folder)) steps.push(`npm install ${NAME}`);
  if (packages !== undefined) steps.push(`npm install --save-dev ${packages}`);
  if (setting !== undefined && isModule) steps.push(`(in tsconfig.json: ${setting})`);
  steps.push(command);
  const where = steps.length > 1 && path.dirname(file) !== "." ? ` (npm in ${folder})` : "";
  const kind = isModule ? "an ES module" : "a CommonJS module";
  return `wrote ${file}, ${kind}${where}\n\n${steps.map((step) => `  ${step}`).join("\n")}`;
}

/**
 * The `package.json` that applies to the files of a folder.
 * @param {string} folder
 * @returns {{ file: string, type?: unknown, error?: string } | undefined}
 */
function manifestAbove(folder) {
  const file = path.join(folder, "package.json");
  if (fs.existsSync(file)) {
    try {
      const { type } = Object(JSON.parse(fs.readFileSync(file, "utf8")));
      return { file, type };
    } catch (error) {
      return { file, error: /** @type {Error} */ (error).message };
    }
  }
  const above = path.dirname(folder);
  return above === folder ? undefined : manifestAbove(above);
}

/**
 * How this Node runs the file, and what must be installed and configured for that.
 * @param {string} file
 * @param {string} folder
 * @param {boolean} isTyped
 * @param {boolean} isAmongModules the file is an ES module, or `type` says that its folder has ES modules
 * @returns {{ command: string, packages?: string, setting?: string }}
 */
function runOf(file, folder, isTyped, isAmongModules) {
  const name = word(file);
  // @ts-expect-error: newer than the types
  if (!isTyped || process.features.typescript) return { command: `node ${name}` };
  const tsx = { command: `npx tsx ${name}` };
  const tsNode = isAmongModules
    ? { command: `node --loader ts-node/esm ${name}`, setting: ES_MODULES }
    : { command: `npx ts-node ${name}` };
  if (isInstalled("tsx", folder)) return tsx;
  if (isInstalled("ts-node", folder)) return tsNode;
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_FOR_TSX) {
    return { ...tsx, packages: "tsx" };
  }
  return { ...tsNode, packages: "ts-node typescript@5 @types/node" };
}

/**
 * @param {string} name
 * @param {string} folder
 */
function isInstalled(name, folder) {
  try {
    createRequire(path.join(folder, "program.js")).resolve(name);
    return true;
  } catch (_) {
    return false;
  }
}

/**
 * The name of a file, quoted for the command line and free of line breaks.
 * @param {string} name
 */
function word(name) {
  const line = name.replace(/[\r\n\u2028\u2029]/g, "?");
  return /^[\w@%+=:,./\\-]+$/.test(line) ? line : JSON.stringify(line);
}

module.exports = { init };

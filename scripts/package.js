"use strict";
/**
 * Writes the npm tarballs of the package and of every platform whose binary is built, to `dist/` or to
 * the folder of `--out`. It packs from a copy, so the working tree does not change. Only the packed
 * manifest has the platform packages as optional dependencies: in the working tree, `npm ci` would look
 * for packages that are not published yet.
 *
 *   node scripts/package.js [--out FOLDER] [--all]
 *
 * `--all` is for publishing: it fails if a binary is missing.
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const ROOT = path.resolve(__dirname, "..");
const PLATFORMS = path.join(ROOT, "npm");

/** npm always packs these, besides the `files` of the manifest. */
const ALWAYS_PACKED = ["README.md", "LICENSE"];

/** Fields of the manifest for development only. They must not reach an install. */
const ONLY_IN_THE_TREE = ["scripts", "devDependencies", "overrides"];

function main() {
  const { values } = parseArgs({
    options: { out: { type: "string", default: "dist" }, all: { type: "boolean", default: false } },
  });
  const out = path.resolve(values.out);
  const manifest = readJson(path.join(ROOT, "package.json"));
  const platforms = fs.readdirSync(PLATFORMS).map((name) => readPlatform(name, manifest));
  const built = platforms.filter(({ binary }) => fs.existsSync(path.join(ROOT, binary)));
  const missing = platforms.filter((platform) => !built.includes(platform));
  if (built.length === 0 || (values.all && missing.length > 0)) {
    const names = missing.map(({ binary }) => binary).join(", ");
    throw new Error(`not built: ${names}. \`npm run build\` builds the binary of this platform`);
  }

  fs.mkdirSync(out, { recursive: true });
  for (const file of fs.readdirSync(out)) {
    if (file.endsWith(".tgz")) fs.rmSync(path.join(out, file));
  }

  const staging = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-package-"));
  try {
    const folders = [stageRoot(staging, manifest, platforms)];
    for (const platform of built) folders.push(stagePlatform(staging, platform));
    for (const folder of folders) console.log(pack(folder, out));
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

function readPlatform(name, { version }) {
  const folder = path.join(PLATFORMS, name);
  const manifest = readJson(path.join(folder, "package.json"));
  if (manifest.version !== version) {
    throw new Error(`npm/${name} has version ${manifest.version}, but the package has ${version}`);
  }
  return { folder, manifest, binary: manifest.main };
}

function stageRoot(staging, manifest, platforms) {
  const folder = path.join(staging, "root");
  for (const name of [...manifest.files, ...ALWAYS_PACKED]) {
    const source = path.join(ROOT, name);
    if (!fs.existsSync(source)) throw new Error(`cannot pack ${name}: it does not exist`);
    fs.cpSync(source, path.join(folder, name), { recursive: true });
  }

  // Replaces the index.js that loads lib/ module by module.
  const args = [path.join(__dirname, "bundle.js"), folder];
  execFileSync(process.execPath, args, { stdio: "inherit" });

  const packed = { ...manifest };
  for (const field of ONLY_IN_THE_TREE) delete packed[field];
  const names = platforms.map((platform) => [platform.manifest.name, manifest.version]);
  packed.optionalDependencies = Object.fromEntries(names);
  writeJson(path.join(folder, "package.json"), packed);
  return folder;
}

function stagePlatform(staging, platform) {
  const folder = path.join(staging, path.basename(platform.folder));
  fs.cpSync(platform.folder, folder, { recursive: true });
  fs.copyFileSync(path.join(ROOT, platform.binary), path.join(folder, platform.binary));
  fs.copyFileSync(path.join(ROOT, "LICENSE"), path.join(folder, "LICENSE"));
  return folder;
}

/** @returns {string} the path of the tarball */
function pack(folder, out) {
  const args = ["pack", folder, "--pack-destination", out, "--ignore-scripts", "--json"];
  const [{ filename }] = JSON.parse(execFileSync("npm", args, { encoding: "utf8" }));
  return path.join(out, filename);
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

function writeJson(file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

main();

"use strict";
// The project folders the programs run in: each is what `npm install` leaves behind, with 1.0.3 or with this package as
// node_modules/@tiemma/sonic-distribute. Both are copied, not linked, so that each resolves its own needs from the project.

const fs = require("fs");
const os = require("os");
const path = require("path");

const ROOT = path.resolve(__dirname, "../../..");
const PACKAGE = "@tiemma/sonic-distribute";
const TOOLS = [
  "tslib",
  "ts-node",
  "tsconfig-paths",
  "typescript",
  "@types/node",
  "tsx",
  "mocha",
  "jest",
  "vitest",
];

const installed = (name) => path.join(ROOT, "node_modules", name);

/** What each project has installed besides the package; sonic-core is 1.0.3's own dependency. */
const LAYOUTS = {
  original: { version: "original", links: ["@tiemma/sonic-core", ...TOOLS] },
  ours: { version: "ours", links: ["@tiemma/sonic-core", ...TOOLS] },
  "plain-original": { version: "original", links: ["@tiemma/sonic-core"] },
  "plain-ours": { version: "ours", links: [] },
  "binaryless-ours": { version: "ours without its binary", links: [] },
  "tslib-original": { version: "original", links: ["@tiemma/sonic-core", "tslib"] },
};

const TSCONFIG = {
  compilerOptions: {
    baseUrl: ".",
    paths: { "@aliased/*": ["programs/parts/*"] },
    target: "es2019",
    module: "commonjs",
    moduleResolution: "node",
    esModuleInterop: true,
    strict: true,
    types: ["node"],
  },
};

function copy(from, to) {
  if (!fs.statSync(from).isDirectory()) {
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.copyFileSync(from, to);
    return;
  }
  for (const name of fs.readdirSync(from)) copy(path.join(from, name), path.join(to, name));
}

/** The files npm would pack, and the binary that the platform's own package would bring. */
function published(withBinary) {
  const { files } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const binaries = fs.readdirSync(ROOT).filter((name) => name.endsWith(".node"));
  return ["package.json", ...files, ...(withBinary ? binaries : [])].filter((name) =>
    fs.existsSync(path.join(ROOT, name)),
  );
}

function install(version, to) {
  if (version === "original") return copy(installed("sonic-distribute-original"), to);
  for (const name of published(version === "ours"))
    copy(path.join(ROOT, name), path.join(to, name));
}

function link(project, name) {
  const to = path.join(project, "node_modules", name);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.symlinkSync(installed(name), to, "dir");
}

/** Lays every project out under one temporary folder; `remove()` takes it all away again. */
function layOut() {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sonic-parity-")));
  const projects = {};
  for (const [name, { version, links }] of Object.entries(LAYOUTS)) {
    const project = path.join(root, name);
    install(version, path.join(project, "node_modules", PACKAGE));
    for (const linked of links) link(project, linked);
    copy(path.join(__dirname, "programs"), path.join(project, "programs"));
    fs.writeFileSync(
      path.join(project, "package.json"),
      JSON.stringify({ name: "project", private: true }),
    );
    fs.writeFileSync(path.join(project, "tsconfig.json"), JSON.stringify(TSCONFIG));
    projects[name] = project;
  }
  return {
    projects,
    remove: () => fs.rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

module.exports = { layOut, hasOurs: () => fs.existsSync(path.join(ROOT, "index.js")) };

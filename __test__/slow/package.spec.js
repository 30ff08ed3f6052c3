"use strict";
/**
 * Promise: `npm run package` makes what a user installs. It needs no compiler, no TypeScript and no network, brings no
 * other package, and runs programs of every kind.
 */
const assert = require("node:assert");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { runCommand, runToSuccess } = require("../support/command");
const { nodeOfLine } = require("../support/node-lines");
const { SITE, installFrom } = require("../support/packages");
const { ROOT, Workspace } = require("../support/workspace");

const FIXTURES = path.join(__dirname, "..", "fixtures", "runners");
const NAME = "@tiemma/sonic-distribute";
const PLATFORMS = fs.readdirSync(path.join(ROOT, "npm")).sort();
const HERE = `${process.platform}-${process.arch}${ofLibc()}`;
const TARGETS = require("../../package.json").napi.targets;
const PLATFORM = `${NAME}-${HERE}`;
const VERSION = require("../../package.json").version;
/** How a tool that checks packages is started. */
const tool = (name) => [path.join(SITE, "node_modules/.bin", name)];
const EXPECTED = { total: 385, inMaster: false, failed: 0 };

/** The most that a process reads before it runs anything of a plain call: V8 takes 1 ms for 100 KB. */
const MOST_BYTES = 320_000;

/** Everything that runs at an install, by npm's documentation. */
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepublish", "prepare"];

describe("the package", () => {
  const packed = new Workspace("packed");
  const project = new Workspace("installed");
  after(() => {
    packed.remove();
    project.remove();
  });

  let tarballs;
  before(async () => {
    await installFrom(SITE);
    const before = treeState();
    await runToSuccess(process.execPath, ["scripts/package.js", "--out", packed.folder], {
      cwd: ROOT,
    });
    assert.deepStrictEqual(treeState(), before, "packing changes the tree");
    tarballs = {
      root: packed.path(`tiemma-sonic-distribute-${VERSION}.tgz`),
      platform: packed.path(`tiemma-sonic-distribute-${HERE}-${VERSION}.tgz`),
    };
    await install(project, [tarballs.root, tarballs.platform]);
  });

  it("is a tarball, and one for every platform that is built, this one among them", () => {
    const isBuilt = (name) => fs.existsSync(path.join(ROOT, binaryOf(name)));
    const names = PLATFORMS.filter(isBuilt).map((name) => `-${name}`);
    assert.ok(names.includes(`-${HERE}`), `${names}`);
    const expected = ["", ...names].map((name) => `tiemma-sonic-distribute${name}-${VERSION}.tgz`);
    assert.deepStrictEqual(fs.readdirSync(packed.folder).sort(), expected.sort());
  });

  it("has the promised files and no others", () => {
    const files = filesOf(tarballs.root).filter((file) => !/^(lib|bin)\//.test(file));
    const root = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "index.d.ts", "index.js"];
    const native = ["native.d.ts", "native.js", "package.json"];
    assert.deepStrictEqual(files, [...root, ...native]);
    for (const folder of ["lib", "bin"]) {
      const packedFiles = filesOf(tarballs.root).filter((file) => file.startsWith(`${folder}/`));
      const inTree = allFiles(path.join(ROOT, folder), folder);
      const made = folder === "lib" ? ["lib/on-demand.js"] : [];
      assert.deepStrictEqual(packedFiles, [...inTree, ...made].sort());
    }

    const platform = ["LICENSE", "README.md", "package.json", binaryOf(HERE)];
    assert.deepStrictEqual(filesOf(tarballs.platform), platform);
  });

  it("has types for every way in which a program may find them", async () => {
    const { stdout } = await runToSuccess(process.execPath, [...tool("attw"), tarballs.root]);
    assert.match(stdout, /No problems found/);
  });

  it("has a manifest in which publint finds nothing to mend", async () => {
    for (const tarball of [tarballs.root, tarballs.platform]) {
      const { stdout } = await runToSuccess(process.execPath, [...tool("publint"), tarball]);
      assert.match(stdout, /All good!/);
    }
  });

  it("loads one short file for a plain call, in both roles", async () => {
    const folder = path.join(project.folder, "node_modules", NAME);
    const program = path.join(ROOT, "__test__", "fixtures", "start", "loaded.js");
    const env = { PACKAGE: folder, QUIET: "true" };
    const { stdout } = await runToSuccess(process.execPath, [program], {
      cwd: project.folder,
      env,
    });
    const { master, worker } = JSON.parse(stdout.replace(/^RESULT /, ""));
    assert.deepStrictEqual([master, worker], [["index.js"], ["index.js"]]);
    const { size } = fs.statSync(path.join(folder, "index.js"));
    assert.ok(
      size <= MOST_BYTES,
      `index.js has ${size} bytes: load what few programs need on demand`,
    );
  });

  it("loads the rest when a program uses it", async () => {
    project.write(
      "rest.cjs",
      `const { createPool, flow } = require("${NAME}");
      const double = ({ data }) => data * 2;
      const doubled = flow((source) => source.map(double));
      createPool({ double, doubled }).then(async (pool) => {
        const sum = (await pool.map(double, [1, 2])).reduce((one, other) => one + other);
        for await (const { response } of pool.stream(doubled, [sum])) console.log(response);
        await pool.close();
        console.log(Object.keys(require.cache).some((file) => file.endsWith("on-demand.js")));
      });`,
    );
    const { stdout } = await runToSuccess(process.execPath, ["rest.cjs"], { cwd: project.folder });
    assert.strictEqual(stdout, "12\ntrue\n");
  });

  it("says that it was updated while a program ran", async () => {
    const copy = new Workspace("updated");
    try {
      await install(copy, [tarballs.root, tarballs.platform]);
      const rest = copy.path(`node_modules/${NAME}/lib/on-demand.js`);
      const text = fs.readFileSync(rest, "utf8");
      fs.writeFileSync(rest, text.replace(VERSION, "2.0.99"));
      copy.write(
        "first.cjs",
        `require("${NAME}").createPool({ one: () => 1 }).catch(({ message }) => console.log(message));`,
      );
      const { stdout } = await runToSuccess(process.execPath, ["first.cjs"], { cwd: copy.folder });
      assert.match(stdout, /was updated to .* while this program ran: start the program again/);
    } finally {
      copy.remove();
    }
  });

  it("depends on nothing but its platform packages, and optionally on those", () => {
    const manifest = installedManifest(project, NAME);
    for (const field of ["dependencies", "bundleDependencies"]) {
      assert.deepStrictEqual(Object.keys(manifest[field] ?? {}), [], field);
    }
    // For programs on many machines, which install them.
    const peers = ["bullmq", "ioredis", "pg"];
    assert.deepStrictEqual(Object.keys(manifest.peerDependencies), peers);
    const optional = Object.fromEntries(peers.map((name) => [name, { optional: true }]));
    assert.deepStrictEqual(manifest.peerDependenciesMeta, optional);
    const expected = PLATFORMS.map((name) => [`${NAME}-${name}`, VERSION]);
    assert.deepStrictEqual(manifest.optionalDependencies, Object.fromEntries(expected));
    assert.deepStrictEqual(installedManifest(project, PLATFORM).dependencies ?? {}, {});
  });

  it("has a platform package for each target, which npm installs nowhere else", () => {
    assert.deepStrictEqual(TARGETS.map(platformOf).sort(), PLATFORMS);
    for (const name of PLATFORMS) {
      const manifest = require(path.join(ROOT, "npm", name, "package.json"));
      const [os, cpu, abi] = name.split("-");
      const libc = { gnu: ["glibc"], musl: ["musl"] }[abi];
      assert.deepStrictEqual(
        [manifest.name, manifest.main, manifest.files, manifest.os, manifest.cpu, manifest.libc],
        [`${NAME}-${name}`, binaryOf(name), [binaryOf(name)], [os], [cpu], libc],
      );
    }
  });

  it("runs nothing at an install", () => {
    for (const name of [NAME, PLATFORM]) {
      const scripts = Object.keys(installedManifest(project, name).scripts ?? {});
      assert.deepStrictEqual(
        scripts.filter((script) => INSTALL_SCRIPTS.includes(script)),
        [],
      );
    }
  });

  it("installs nothing else", () => {
    const modules = fs.readdirSync(project.path("node_modules")).sort();
    assert.deepStrictEqual(modules, [".bin", ".package-lock.json", "@tiemma"]);
    const scope = fs.readdirSync(project.path("node_modules/@tiemma")).sort();
    assert.deepStrictEqual(scope, ["sonic-distribute", `sonic-distribute-${HERE}`]);
  });

  for (const program of ["program.cjs", "program.mjs"]) {
    it(`runs ${program} where nothing else is installed`, () => adds(process.execPath, program));
  }

  it("runs program.ts on a Node that strips types", async () => {
    await adds(await nodeOfLine(24), "program.ts");
  });

  it("has a doctor who finds it well", async () => {
    const { stdout } = await npx("doctor");
    assert.match(stdout, new RegExp(`^ok +binary +.*/${PLATFORM}/`, "m"));
    assert.match(stdout, /^ok +self-test +/m);
    assert.match(stdout, /^all is well$/m);
  });

  /** The line of Node that runs each; undefined: this one. @type {[string, number | undefined][]} */
  const written = [
    ["map-reduce.js", undefined],
    ["mine.mjs", undefined],
    ["mine.ts", 24],
  ];
  for (const [file, line] of written) {
    it(`writes a program to start with that runs: ${file}`, async () => {
      await npx("init", file);
      project.write("words.txt", "seven words\nthat are in  this file\n");
      const node = line === undefined ? process.execPath : await nodeOfLine(line);
      const env = { QUIET: "true" };
      const args = [file, "words.txt", "words.txt"];
      const { stdout, stderr } = await runToSuccess(node, args, { cwd: project.folder, env });
      assert.strictEqual(stdout, "14 words\n", stderr);
    });
  }

  async function npx(...args) {
    const options = { cwd: project.folder };
    return runToSuccess("npx", ["--offline", NAME, ...args], options);
  }

  it("says what to do where its platform package is missing", async () => {
    const bare = new Workspace("bare");
    try {
      await install(bare, [tarballs.root, "--omit=optional"]);
      bare.copy(path.join(FIXTURES, "program.cjs"));
      const end = await runCommand(process.execPath, ["program.cjs"], { cwd: bare.folder });
      assert.notStrictEqual(end.code, 0);
      assert.match(end.stderr, new RegExp(PLATFORM));
      assert.match(end.stderr, /npm (install|i|ci)\b/);
    } finally {
      bare.remove();
    }
  });

  async function adds(node, program) {
    project.copy(path.join(FIXTURES, program));
    // A PATH without anything: no compiler, no npx, not even Node itself.
    const env = { PATH: project.path("nothing"), QUIET: "true" };
    const { stdout } = await runToSuccess(node, [program], { cwd: project.folder, env });
    assert.deepStrictEqual(JSON.parse(stdout), EXPECTED);
  }
});

/** What a platform's name ends with where there is more than one C library. */
function ofLibc() {
  if (process.platform !== "linux") return "";
  const report = /** @type {any} */ (process.report.getReport());
  return report.header.glibcVersionRuntime ? "-gnu" : "-musl";
}

function binaryOf(platform) {
  return `sonic-distribute.${platform}.node`;
}

/** Node's name of a Rust target. */
function platformOf(target) {
  const [cpu, , name, abi] = target.split("-");
  const os = name === "windows" ? "win32" : name;
  const arch = { x86_64: "x64", aarch64: "arm64" }[cpu];
  return [os, arch, ...(abi === undefined ? [] : [abi])].join("-");
}

/** Offline and with an empty cache: whatever is not in the tarballs cannot be installed. */
async function install(project, args) {
  project.write("package.json", '{ "private": true }\n');
  const offline = ["--offline", "--cache", project.path("cache"), "--no-audit", "--no-fund"];
  await runToSuccess("npm", ["install", ...offline, ...args], { cwd: project.folder });
}

function installedManifest(project, name) {
  return JSON.parse(fs.readFileSync(project.path("node_modules", name, "package.json"), "utf8"));
}

function filesOf(tarball) {
  const list = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" });
  return list
    .trim()
    .split("\n")
    .map((file) => file.replace(/^package\//, ""))
    .sort();
}

function allFiles(folder, prefix) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = `${prefix}/${entry.name}`;
    return entry.isDirectory() ? allFiles(path.join(folder, entry.name), name) : [name];
  });
}

/** What packing could leave behind: a changed manifest, or a binary among the platform's files. */
function treeState() {
  const manifest = fs.readFileSync(path.join(ROOT, "package.json"), "utf8");
  return [manifest, allFiles(path.join(ROOT, "npm"), "npm")];
}

"use strict";
/**
 * Promise: With the settings in docs/bundlers.md every bundler makes a working program: with the package bundled or
 * left out, as CommonJS and as ES modules, moved to another folder and run from a third one. Without its binary a
 * bundle says what to do. The bundlers come from bundlers/package.json when first needed.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { runCommand, runToSuccess } = require("../support/command");
const { nodeOfLine } = require("../support/node-lines");
const { installFrom } = require("../support/packages");
const { ROOT, Workspace } = require("../support/workspace");

const BUNDLERS = path.join(__dirname, "bundlers");
/** Bundles run on the oldest and the newest line too. */
const LINES = [14, 26];

const TEXT = fs.readFileSync(path.join(ROOT, "docs", "bundlers.md"), "utf8");
const SHOWN = /^```text\n([\s\S]*?)^```$/m.exec(TEXT)[1];
const FILES = [...TEXT.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => ({
  name,
  code,
}));
const BUILDS = TEXT.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^```sh output=(\S+)( external)?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, outputs, external, commands]) =>
      outputs.split(",").map((output) => ({
        bundler: section.split("\n")[0],
        output,
        isExternal: external !== undefined,
        commands,
      })),
  ),
);

describe("a bundle", () => {
  const packed = new Workspace("packed");
  const project = new Workspace("bundled");
  let nodes;
  before(async () => {
    await installFrom(BUNDLERS);
    await runToSuccess(process.execPath, ["scripts/package.js", "--out", packed.folder], {
      cwd: ROOT,
    });
    for (const name of namesIn(path.join(BUNDLERS, "node_modules")))
      project.link(name, path.join(BUNDLERS, "node_modules", name));
    for (const file of fs.readdirSync(packed.folder))
      unpack(packed.path(file), project.path("node_modules/@tiemma"));
    for (const { name, code } of FILES) project.write(name, code);
    project.copy(project.path("program.mjs"), "program.js");
    nodes = [process.execPath, ...(await Promise.all(LINES.map((line) => nodeOfLine(line))))];
  });
  after(() => {
    packed.remove();
    project.remove();
  });

  it("is made by all bundlers, with and without the package, as CommonJS and ES modules", () => {
    for (const bundler of ["esbuild", "webpack", "rollup", "ncc"]) {
      const kinds = BUILDS.filter((build) => build.bundler === bundler).map(
        ({ output, isExternal }) => `${path.extname(output).replace(".cjs", ".js")} ${isExternal}`,
      );
      for (const kind of [".js false", ".mjs false", ".js true", ".mjs true"])
        assert.ok(kinds.includes(kind), `${bundler}: ${kind}`);
    }
  });

  for (const [at, { bundler, output, isExternal, commands }] of BUILDS.entries()) {
    const name = `${bundler}, ${output}, the package ${isExternal ? "left out" : "bundled"} (build ${at + 1})`;

    it(`works: ${name}`, async () => {
      const { folder, elsewhere } = await build(isExternal, commands);
      for (const node of nodes) {
        const end = await runCommand(node, [path.join(folder, path.basename(output))], {
          cwd: elsewhere.folder,
          env: { QUIET: "1" },
        });
        assert.equal(end.stderr, "");
        assert.equal(end.stdout, SHOWN);
        assert.equal(end.code, 0);
        assert.match(fs.readFileSync(elsewhere.path("run.html"), "utf8"), /<\/html>\s*$/);
        fs.rmSync(elsewhere.path("run.html"));
      }
      if (!isExternal) await needsItsBinary(folder, output, elsewhere);
      elsewhere.remove();
    });
  }

  async function build(isExternal, commands) {
    fs.rmSync(project.path("dist"), { recursive: true, force: true });
    const { output: said } = await runToSuccess("bash", ["-e", "-c", commands], {
      cwd: project.folder,
      env: { NO_COLOR: "1" },
    });
    assert.doesNotMatch(said, /\bwarn/i);
    const elsewhere = new Workspace("moved");
    const folder = elsewhere.copy(project.path("dist"), "app/dist");
    if (isExternal)
      elsewhere.copy(project.path("node_modules/@tiemma"), "app/node_modules/@tiemma");
    return { folder, elsewhere };
  }

  /** The rest of the bundle's promise: what it says without the binary, and that the variable names it. */
  async function needsItsBinary(folder, output, elsewhere) {
    const binaries = fs.readdirSync(folder).filter((file) => file.endsWith(".node"));
    assert.ok(binaries.length > 0);
    fs.mkdirSync(elsewhere.path("aside"));
    for (const file of binaries)
      fs.renameSync(path.join(folder, file), elsewhere.path("aside", file));
    const program = path.join(folder, path.basename(output));
    const without = await runCommand(process.execPath, [program], {
      cwd: elsewhere.folder,
      env: { QUIET: "1" },
    });
    assert.notEqual(without.code, 0);
    assert.match(without.stderr, /ERR_SONIC_NO_BINARY/);
    assert.match(
      without.stderr,
      /in this bundle\. Copy sonic-distribute\.\S+\.node from the package @tiemma\/sonic-distribute-\S+ into /,
    );
    assert.ok(
      without.stderr.includes(
        `into ${folder}, or name the file in the variable NAPI_RS_NATIVE_LIBRARY_PATH`,
      ),
      without.stderr,
    );
    const env = { QUIET: "1", NAPI_RS_NATIVE_LIBRARY_PATH: elsewhere.path("aside", binaries[0]) };
    const { stdout } = await runToSuccess(process.execPath, [program], {
      cwd: elsewhere.folder,
      env,
    });
    assert.equal(stdout, SHOWN);
  }
});

describe("the package's modules", () => {
  it("take their place from home.js, because a bundle of ES modules has no __dirname", () => {
    // The preload is given to workers by its path, where the package is not bundled.
    const excepted = [
      "lib/shared/home.js",
      "lib/worker/preload.js",
      "lib/master/page.js",
      "lib/master/live-page.js",
    ];
    const filesIn = (folder) =>
      fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
        const name = `${folder}/${entry.name}`;
        return entry.isDirectory() ? filesIn(name) : [name];
      });
    const files = filesIn("lib").filter((file) => !excepted.includes(file));
    assert.ok(files.includes("lib/shared/sync/locks.js"));
    for (const file of [...files, "index.js"]) {
      assert.doesNotMatch(
        fs.readFileSync(path.join(ROOT, file), "utf8"),
        /__dirname|__filename|require\.(cache|main|resolve)/,
        file,
      );
    }
  });
});

/** The packages in a folder, and `.bin`. */
function namesIn(modules) {
  const isScope = (name) => name.startsWith("@");
  const inScope = (scope) =>
    fs.readdirSync(path.join(modules, scope)).map((name) => `${scope}/${name}`);
  const all = fs.readdirSync(modules).filter((name) => !name.startsWith(".") || name === ".bin");
  return all.flatMap((name) => (isScope(name) ? inScope(name) : [name]));
}

/** Puts a tarball where npm would install it. */
function unpack(tarball, scope) {
  const name = path.basename(tarball).replace(/^tiemma-(.*)-\d+\.\d+\.\d+.*\.tgz$/, "$1");
  const folder = path.join(scope, name);
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
}

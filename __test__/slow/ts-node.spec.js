"use strict";
/**
 * Promise: With every ts-node since 8.5, workers reuse what the master compiled, and stack traces have the positions of
 * the sources. Each version is installed from npm into its own folder.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runToSuccess } = require("../support/command");
const { installOnce } = require("../support/packages");
const { MODULES, Workspace } = require("../support/workspace");

const CACHE = path.join(MODULES, ".cache", "ts-node");

/** 8.5 is the first that leaves its service where it can be found, 10.2 the first with another package for positions. */
const VERSIONS = ["8.5.4", "8.10.2", "9.1.1", "10.1.0", "10.2.0", "10.9.2"];

/** What these versions of ts-node all work with. */
const COMPANIONS = ["typescript@4.3.5", "@types/node@14.18.63"];

for (const version of VERSIONS) {
  describe(`ts-node ${version}`, () => {
    const project = new Workspace("ts-node-line");
    after(() => project.remove());

    it("compiles in the master alone, and positions are those of the sources", {
      skip: process.platform !== "linux" && "on Linux only",
    }, async () => {
      const { master, response, stack, compilations } = await runUnder(version);
      assert.equal(response, 21);
      assert.match(stack, /^Error: odd\n\s+at .*half\.ts:7:9/);
      assert.deepEqual(
        new Set(compilations.map(({ file }) => file)),
        new Set(["program.ts", "half.ts"]),
      );
      const byWorkers = compilations.filter(({ pid }) => pid !== master);
      assert.deepEqual(byWorkers, []);
    });

    async function runUnder(version) {
      const folder = path.join(CACHE, version);
      await installOnce(folder, [`ts-node@${version}`, ...COMPANIONS]);
      project.copy(path.join(__dirname, "..", "fixtures", "ts-node"), ".");
      project.write("package.json", '{ "private": true }\n');
      project.installOurs();
      const modules = path.join(folder, "node_modules");
      // Copied, because in the cache it finds what this tree has installed too. TypeScript is large, and finds nothing.
      for (const name of fs.readdirSync(modules).filter((name) => !name.startsWith("."))) {
        if (name === "typescript") project.link(name, path.join(modules, name));
        else project.copy(path.join(modules, name), `node_modules/${name}`);
      }
      const env = {
        QUIET: "1",
        TS_NODE_COMPILER: project.path("counting-typescript.js"),
        COMPILATIONS: project.path("compilations.txt"),
      };
      const { stdout } = await runToSuccess(
        process.execPath,
        ["-r", "ts-node/register", "program.ts"],
        { cwd: project.folder, env },
      );
      const lines = fs.readFileSync(env.COMPILATIONS, "utf8").trim().split("\n");
      const compilations = lines.map((line) => ({
        pid: Number(line.split(" ")[0]),
        file: line.split(" ")[1],
      }));
      return { ...JSON.parse(stdout), compilations };
    }
  });
}

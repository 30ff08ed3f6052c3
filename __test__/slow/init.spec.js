"use strict";
/**
 * Promise: Whatever `init` writes runs unchanged with the command that it prints, in projects of every type, with every
 * extension, on every line of Node that can run it. Where it cannot write, it says why.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { runCommand, runToSuccess } = require("../support/command");
const { LINES, nodeOfLine } = require("../support/node-lines");
const { MODULES, Workspace } = require("../support/workspace");

const CLI = "node_modules/@tiemma/sonic-distribute/bin/sonic-distribute.js";
const ENDINGS = [".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"];
const TYPES = {
  module: '{ "type": "module" }\n',
  commonjs: '{ "type": "commonjs" }\n',
  none: "{}\n",
};

/** What runs TypeScript on each line: these packages have to be there. */
const toolsFor = (line) => (line < 18 ? ["ts-node", "typescript", "@types/node"] : ["tsx"]);

/** What `npx` would start. */
const SCRIPTS = {
  tsx: "node_modules/tsx/dist/cli.mjs",
  "ts-node": "node_modules/ts-node/dist/bin.js",
};

const isModuleFor = (type, ending) =>
  /^\.m/.test(ending) || (type === "module" && !/^\.c/.test(ending));

for (const line of LINES) {
  describe(`init on Node ${line}`, () => {
    const projects = Object.fromEntries(
      Object.keys(TYPES).map((type) => [type, new Workspace("init")]),
    );
    let node;
    before(async () => {
      node = await nodeOfLine(line);
      for (const [type, project] of Object.entries(projects)) {
        project.write("package.json", TYPES[type]);
        project.write("words.txt", "seven words\nthat are in  this file\n");
        project.installOurs();
        for (const name of toolsFor(line)) project.link(name, path.join(MODULES, name));
      }
    });
    after(() => {
      for (const project of Object.values(projects)) project.remove();
    });

    for (const type of Object.keys(TYPES)) {
      for (const ending of ENDINGS) {
        it(`writes a program that runs: ${ending} in a project of type ${type}`, async () => {
          const project = projects[type];
          const file = `job${ending}`;
          const { stdout: told } = await runToSuccess(node, [CLI, "init", file], {
            cwd: project.folder,
          });
          const command = told.trim().split("\n").pop().trim();
          const text = fs.readFileSync(project.path(file), "utf8");
          assert.equal(text.split("\n")[2], `//   ${command} README.md …`);
          assert.ok(command.endsWith(` ${file}`), command);
          const isModule = isModuleFor(type, ending);
          assert.match(
            told,
            isModule ? /^wrote \S+, an ES module$/m : /^wrote \S+, a CommonJS module$/m,
          );
          assert.match(text, isModule ? /^import \{ isMaster/m : /\brequire\("@tiemma/);

          const [, setting] = /tsconfig\.json: (.*)\)$/m.exec(told) || [];
          if (setting) project.write("tsconfig.json", `{ ${setting} }`);
          else fs.rmSync(project.path("tsconfig.json"), { force: true });

          const [program, ...args] = command.split(" ");
          const before = program === "npx" ? [SCRIPTS[args.shift()]] : [];
          // Types are checked below, once.
          const options = {
            cwd: project.folder,
            env: { QUIET: "1", TS_NODE_TRANSPILE_ONLY: "true" },
          };
          const { stdout, stderr } = await runToSuccess(
            node,
            [...before, ...args, "words.txt", "words.txt"],
            options,
          );
          assert.equal(stdout, "14 words\n", stderr);
          if (!/ts$/.test(ending)) assert.equal(stderr, "");
        });
      }
    }
  });
}

describe("init", () => {
  const project = new Workspace("init");
  after(() => project.remove());
  const init = (...args) =>
    runCommand(
      process.execPath,
      [path.join(MODULES, "..", "bin/sonic-distribute.js"), "init", ...args],
      { cwd: project.folder },
    );

  it("goes by the nearest package.json above the file, and through links", async () => {
    project.write("outer/package.json", TYPES.module);
    project.write("outer/inner/package.json", TYPES.commonjs);
    fs.mkdirSync(project.path("outer/deep/er"), { recursive: true });
    fs.symlinkSync(project.path("outer/deep/er"), project.path("linked"));
    assert.match((await init("outer/deep/er/a.js")).stdout, /an ES module/);
    assert.match((await init("linked/b.js")).stdout, /an ES module/);
    assert.match((await init("outer/inner/c.js")).stdout, /a CommonJS module/);
  });

  it("names what is missing: a package.json, the package, what runs TypeScript", async () => {
    const { code, stdout } = await init("d.ts");
    assert.equal(code, 0);
    const steps = ["npm init --yes", "npm install @tiemma/sonic-distribute"];
    if (!Reflect.get(process.features, "typescript")) steps.push("npm install --save-dev tsx");
    assert.deepEqual(stdout.trim().split(/\n\s*/).slice(1, -1), ["", ...steps].slice(1));
  });

  it("writes a name that has spaces as the shell wants it", async () => {
    assert.match((await init("my job.mjs")).stdout, /^ {2}node "my job\.mjs"$/m);
    assert.match(
      fs.readFileSync(project.path("my job.mjs"), "utf8"),
      /^\/\/ {3}node "my job\.mjs" README/m,
    );
  });

  it("refuses where package.json cannot be read", async () => {
    project.write("broken/package.json", "{ type");
    const { code, stderr } = await init("broken/a.js");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^sonic-distribute: broken\/a\.js was not written: .*broken\/package\.json cannot be read: /,
    );
    assert.deepEqual(fs.readdirSync(project.path("broken")), ["package.json"]);
  });

  for (const folder of ["typescript", "typescript-newest"]) {
    for (const type of ["module", "commonjs"]) {
      it(`writes TypeScript that compiles under --strict: ${folder}, ${type}`, async () => {
        const home = `${folder}-${type}`;
        project.write(`${home}/package.json`, TYPES[type]);
        await init(`${home}/job.ts`);
        if (!fs.existsSync(project.path("node_modules")))
          project.link("@types/node").link("@tiemma/sonic-distribute", path.join(MODULES, ".."));
        const module = type === "module" ? "esnext" : "commonjs";
        const moduleResolution = folder === "typescript-newest" ? "bundler" : "node";
        const compilerOptions = {
          strict: true,
          noEmit: true,
          skipLibCheck: true,
          target: "es2020",
          lib: ["es2020"],
          types: ["node"],
          module,
          moduleResolution,
        };
        project.write(
          `${home}/tsconfig.json`,
          JSON.stringify({ compilerOptions, files: ["job.ts"] }),
        );
        const { code, output } = await runCommand(
          process.execPath,
          [path.join(MODULES, folder, "bin/tsc"), "-p", home],
          { cwd: project.folder },
        );
        assert.equal(code, 0, output);
      });
    }
  }
});

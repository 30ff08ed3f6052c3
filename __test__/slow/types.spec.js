"use strict";
/**
 * Promise: A program typed for 1.0.3 compiles unchanged against this package under `--strict`, with the oldest and the
 * newest TypeScript and as every kind of module. `MapReduce` can replace `sonicDistribute` in it. The types need no
 * other package. The documentation's programs in TypeScript compile under `--strict` too.
 */
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { DOCUMENTS, blocksOf, textOf, wordOf } = require("../support/documents");
const { MODULES, ROOT, Workspace } = require("../support/workspace");

const PROGRAMS = path.join(__dirname, "..", "types");

/** `node10` is gone from TypeScript 7; `bundler` resolves as it did here. */
const COMPILERS = [
  { name: "TypeScript 4.3", folder: "typescript-oldest", commonjs: "node", node: [] },
  { name: "TypeScript 4.9", folder: "typescript", commonjs: "node", node: ["node16", "nodenext"] },
  {
    name: "the newest TypeScript",
    folder: "typescript-newest",
    commonjs: "bundler",
    node: ["node16", "nodenext"],
    disposable: true,
  },
];

/** sonic-core's own declarations name packages that nobody installs. Ours are checked without it. */
const WITH_CORE = { skipLibCheck: true };

it("what is declared as a value is exported, and nothing else is", () => {
  const text = fs.readFileSync(path.join(ROOT, "index.d.ts"), "utf8");
  const values = text.matchAll(/^export declare (?:const|function|class) (\w+)/gm);
  // A function may have several forms.
  const declared = [...new Set([...values].map(([, name]) => name))].sort();
  assert.deepStrictEqual(Object.keys(require(ROOT)).sort(), declared);
});

for (const compiler of COMPILERS) {
  describe(`with ${compiler.name}`, () => {
    const workspaces = [];
    const project = () => {
      const workspace = new Workspace("types");
      workspaces.push(workspace);
      return workspace;
    };
    after(() => {
      for (const workspace of workspaces) workspace.remove();
    });

    it("programs typed for 1.0.3 compile as CommonJS", async () => {
      const workspace = installOurs(project());
      const files = copyPrograms(workspace, "v1");
      assertClean(await compileCommonJs(compiler, workspace, files, WITH_CORE));
    });

    it("the same programs compile with MapReduce in place of sonicDistribute", async () => {
      const workspace = installOurs(project());
      const rename = (text) => text.replaceAll("sonicDistribute", "MapReduce");
      const files = copyPrograms(workspace, "v1", { edit: rename });
      assertClean(await compileCommonJs(compiler, workspace, files, WITH_CORE));
    });

    it("the same programs are valid for 1.0.3 itself", async () => {
      const workspace = project();
      workspace.link("@tiemma/sonic-core");
      workspace.link("@tiemma/sonic-distribute", path.join(MODULES, "sonic-distribute-original"));
      const files = copyPrograms(workspace, "v1");
      assertClean(await compileCommonJs(compiler, workspace, files, WITH_CORE));
    });

    it("programs that use what is new in 2.0.0 compile, and their mistakes do not", async () => {
      const workspace = installOurs(project()).link("sonic-distribute-original");
      const files = copyPrograms(workspace, "v2");
      assertClean(await compileCommonJs(compiler, workspace, files, WITH_CORE));
    });

    it("a mistake is reported", async () => {
      const workspace = installOurs(project());
      workspace.write(
        "mistake.ts",
        'import { isMaster } from "@tiemma/sonic-distribute";\nexport const no: number = isMaster();\n',
      );
      const result = await compileCommonJs(compiler, workspace, ["mistake.ts"]);
      assert.notStrictEqual(result.code, 0);
      assert.match(result.stdout, /mistake\.ts\(2,14\): error TS2322/);
    });

    it("the declarations need no other package, no DOM and no Node types", async () => {
      const workspace = project();
      installDeclarations(workspace);
      workspace.write("program.ts", 'export * from "@tiemma/sonic-distribute";\n');
      const language = { target: "es2015", lib: ["es2015"] };
      assertClean(await compileCommonJs(compiler, workspace, ["program.ts"], language));
    });

    if (compiler.disposable) {
      it("the programs of the documentation compile", async () => {
        const workspace = project();
        installDeclarations(workspace);
        workspace.link("@types/node");
        workspace.write("package.json", '{ "type": "module" }');
        const files = DOCUMENTS.flatMap((document) =>
          blocksOf(textOf(document))
            .filter(({ language, words }) => language === "ts" && !words.includes("part"))
            .map((block) => {
              const name = wordOf(block, "file") || `line-${block.line}.ts`;
              const file = path.join(path.dirname(document), path.basename(document, ".md"), name);
              workspace.write(file, block.code);
              return file;
            }),
        );
        assert.ok(files.includes(path.join("docs", "typescript", "prices.ts")));
        const modules = { module: "nodenext", allowImportingTsExtensions: true };
        const language = { target: "es2022", lib: ["es2022"], types: ["node"] };
        assertClean(await compile(compiler, workspace, files, { ...modules, ...language }));
      });

      it("a pool is disposable, and the declarations go with the library's own of the symbol", async () => {
        const workspace = project();
        installDeclarations(workspace);
        workspace.write(
          "disposable.ts",
          'import { createPool } from "@tiemma/sonic-distribute";\n' +
            "export const one = async (): Promise<number> => {\n" +
            "  await using pool = await createPool({ one: () => 1 });\n" +
            '  return pool.call("one", undefined);\n' +
            "};\n",
        );
        const language = { target: "es2022", lib: ["es2022", "esnext.disposable"] };
        assertClean(await compileCommonJs(compiler, workspace, ["disposable.ts"], language));
      });
    }

    for (const mode of compiler.node) {
      for (const extension of [".cts", ".mts"]) {
        it(`programs typed for 1.0.3 compile as ${extension} under ${mode}`, async () => {
          const workspace = installOurs(project());
          const files = copyPrograms(workspace, "v1", { extension });
          const module = { module: mode, moduleResolution: mode, ...WITH_CORE };
          assertClean(await compile(compiler, workspace, files, module));
        });
      }
    }
  });
}

/** As npm lays it out, and nothing but what types need. */
function installDeclarations(workspace) {
  const folder = "node_modules/@tiemma/sonic-distribute";
  workspace.copy(path.join(ROOT, "package.json"), `${folder}/package.json`);
  workspace.copy(path.join(ROOT, "index.d.ts"), `${folder}/index.d.ts`);
}

function installOurs(workspace) {
  installDeclarations(workspace);
  return workspace.link("@tiemma/sonic-core");
}

function copyPrograms(workspace, folder, { extension = ".ts", edit = (text) => text } = {}) {
  return fs.readdirSync(path.join(PROGRAMS, folder)).map((file) => {
    const text = fs.readFileSync(path.join(PROGRAMS, folder, file), "utf8");
    const name = file.replace(/\.ts$/, extension);
    workspace.write(name, edit(text));
    return name;
  });
}

function compileCommonJs(compiler, workspace, files, options = {}) {
  const module = { module: "commonjs", moduleResolution: compiler.commonjs };
  return compile(compiler, workspace, files, { ...module, ...options });
}

function compile({ folder }, workspace, files, options) {
  const always = { strict: true, noEmit: true, types: [], target: "es2019", lib: ["es2019"] };
  const compilerOptions = { ...always, ...options };
  workspace.write("tsconfig.json", JSON.stringify({ compilerOptions, files }));
  const tsc = path.join(MODULES, folder, "bin/tsc");
  return runCommand(process.execPath, [tsc, "--pretty", "false"], { cwd: workspace.folder });
}

function assertClean({ code, output }) {
  assert.strictEqual(output, "");
  assert.strictEqual(code, 0);
}

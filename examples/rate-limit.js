/**
 * Keeps to an API's rate limit, over all workers together.
 *
 *   node examples/rate-limit.js [WORKERS]
 *
 * The API is an HTTP server in the master. It measures, and refuses each request that comes too early. A limiter of the same
 * rate holds the workers back, so that none is refused.
 */
"use strict";

const { once } = require("events");
const http = require("http");
const { performance } = require("perf_hooks");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, sync } = require("..");

const REQUESTS = 300;

/** What the API allows: so many requests in so many milliseconds, and so many at once. */
const RATE = { tokens: 200, per: 1000, burst: 20 };

/** Runs in a worker, for each request. */
async function call({ data: page }, { url }) {
  await sync.limiter("api", RATE).take();
  return get(`${url}/${page}`);
}

/** On Node 18 and newer `fetch` does this. */
async function get(url) {
  const [response] = await once(http.get(url, { agent: false }), "response");
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${text}`);
  return text;
}

/**
 * The API. A burst is free at the beginning, and then a request each five milliseconds. A request that was on its way for long
 * only comes later than it might.
 */
async function serve() {
  const counts = { answered: 0, refused: 0, seconds: 0 };
  const startedAt = performance.now();
  const server = http.createServer((request, response) => {
    const time = performance.now() - startedAt;
    const allowed = RATE.burst + (time * RATE.tokens) / RATE.per;
    if (counts.answered + 1 > allowed) {
      counts.refused++;
      response.writeHead(429);
      response.end("too many requests");
      return;
    }
    counts.answered++;
    counts.seconds = time / 1000;
    response.end(`page ${request.url.slice(1)}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, counts };
}

async function main() {
  const workers = Number(process.argv[2] || 4);
  const pool = await createPool({ call }, { numWorkers: workers, concurrency: 8 });
  // Only the master gets here: there is one server.
  const { server, counts } = await serve();
  try {
    const pages = Array.from({ length: REQUESTS }, (_, at) => at);
    const args = { url: `http://127.0.0.1:${server.address().port}` };
    const answers = await pool.map(call, pages, { args });
    verify(answers, counts);
  } finally {
    await pool.close();
    server.close();
  }
}

function verify(answers, { answered, refused, seconds }) {
  if (answers.some((answer, page) => answer !== `page ${page}`)) throw new Error("wrong answers");
  if (refused > 0 || answered !== REQUESTS)
    throw new Error(`the API answered ${answered} requests, and refused ${refused}`);
  const least = ((REQUESTS - RATE.burst) * RATE.per) / RATE.tokens / 1000;
  console.log(
    `${REQUESTS} requests in ${seconds.toFixed(2)} s; the limit allows them in ${least.toFixed(2)} s`,
  );
  console.log("verified: the API refused none, and answered each once");
}

main().catch((error) => {
  console.error(`rate-limit: ${error.message}`);
  process.exitCode = 1;
});

/**
 * Opens at most five connections to a server at once, over all workers together.
 *
 *   node examples/connections.js [WORKERS]
 *
 * The server runs in the master, and counts the connections that are open. Each worker has eight queries at once. A lock with
 * `limit: 5` is what keeps them from opening a connection for each.
 */
"use strict";

const { once } = require("events");
const net = require("net");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, locks } = require("..");

const QUERIES = 200;
const CONCURRENCY = 8;
const MOST_CONNECTIONS = 5;

/** Runs in a worker, for each query. */
function query({ data: text }, { port }) {
  return locks.request("database", { limit: MOST_CONNECTIONS }, async () => {
    const socket = net.connect(port, "127.0.0.1");
    socket.setEncoding("utf8");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
      if (answer.endsWith("\n")) socket.end();
    });
    socket.write(`${text}\n`);
    // The lock is held until both sides have closed the connection.
    await once(socket, "close");
    return answer.trim();
  });
}

/** A server that counts its connections, and takes a while for each query. */
async function serve() {
  const counts = { open: 0, peak: 0, total: 0 };
  const server = net.createServer((socket) => {
    counts.open++;
    counts.total++;
    counts.peak = Math.max(counts.peak, counts.open);
    socket.setEncoding("utf8");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.endsWith("\n")) setTimeout(() => socket.write(text.toUpperCase()), 5);
    });
    // The client has closed its side. Ours is closed after this.
    socket.on("end", () => counts.open--);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, counts };
}

async function main() {
  const workers = Number(process.argv[2] || 4);
  const pool = await createPool({ query }, { numWorkers: workers, concurrency: CONCURRENCY });
  // Only the master gets here: there is one server.
  const { server, counts } = await serve();
  try {
    const texts = Array.from({ length: QUERIES }, (_, at) => `query ${at}`);
    const answers = await pool.map(query, texts, { args: { port: server.address().port } });
    verify({ texts, answers, counts, wanted: workers * CONCURRENCY });
  } finally {
    await pool.close();
    server.close();
  }
}

function verify({ texts, answers, counts, wanted }) {
  const wrong = texts.findIndex((text, at) => answers[at] !== text.toUpperCase());
  if (wrong !== -1) throw new Error(`${texts[wrong]} was answered with ${answers[wrong]}`);
  if (counts.total !== QUERIES) throw new Error(`the server had ${counts.total} connections`);
  if (counts.peak > MOST_CONNECTIONS)
    throw new Error(`${counts.peak} connections were open at once`);
  console.log(`${QUERIES} queries, up to ${wanted} at once, over ${counts.total} connections`);
  console.log(`verified: the server never had more than ${MOST_CONNECTIONS} connections open`);
}

main().catch((error) => {
  console.error(`connections: ${error.message}`);
  process.exitCode = 1;
});

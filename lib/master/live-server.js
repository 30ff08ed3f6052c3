"use strict";
// The server of a dashboard: one page and its stream of events, for whoever may see them. Read-only. It never keeps the program alive.

const { createHash, timingSafeEqual } = require("crypto");
const { createServer } = require("http");
const { LiveClient } = require("./live-client");
const { isLoopback } = require("../shared/dashboard");
const { Set } = require("../shared/primordials");

/** How many browsers may follow at once. */
const MOST_CLIENTS = 32;

/** Connections at once: each client has one, and a page is on its way. */
const MOST_CONNECTIONS = 128;

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Of every response. Nothing allows another origin to read it. */
const HEADERS = {
  "Content-Security-Policy": POLICY,
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
  // Nothing stays open that nobody uses.
  Connection: "close",
};

/** @typedef {import("../shared/dashboard").Place} Place */
/** @typedef {import("http").IncomingMessage} Request */
/** @typedef {import("http").ServerResponse} Response */

class LiveServer {
  /** @param {Place} place @param {() => void} onClient the first client has come */
  constructor(place, onClient) {
    this.place = place;
    this.onClient = onClient;
    /** @type {globalThis.Set<InstanceType<typeof LiveClient>>} */
    this.clients = new Set();
    this.server = createServer((request, response) => this.answer(request, response));
    this.server.maxConnections = MOST_CONNECTIONS;
    /** Connections without a request. @type {globalThis.Set<import("net").Socket>} */
    this.idle = new Set();
    this.server.on("connection", (socket) => {
      socket.unref();
      this.idle.add(socket);
      socket.on("close", () => this.idle.delete(socket));
    });
  }

  /**
   * Listens, at another port if that is in use. Tells where, or why not.
   * @param {(told: { url?: string, port?: number, error?: any, taken?: number }) => void} tell
   */
  listen(tell) {
    const { server, place } = this;
    let taken = 0;
    server.on("error", (/** @type {any} */ error) => {
      if (error.code !== "EADDRINUSE" || taken !== 0) return tell({ error });
      taken = place.port;
      server.listen({ host: place.host, port: 0, exclusive: true });
    });
    server.on("listening", () => {
      const { port } = /** @type {import("net").AddressInfo} */ (server.address());
      const host = place.host.includes(":") ? `[${place.host}]` : place.host;
      tell({ url: `http://${host}:${port}/`, port, taken });
    });
    try {
      server.listen({ host: place.host, port: place.port, exclusive: true });
    } catch (error) {
      // Node's permission model refuses at once.
      tell({ error });
    }
    server.unref();
  }

  /** @param {Request} request @param {Response} response */
  answer(request, response) {
    this.idle.delete(request.socket);
    const refusal = this.refusal(request);
    if (refusal !== undefined) return refuse(response, refusal[0], refusal[1]);
    const path = String(request.url).split("?")[0];
    if (path === "/") {
      response.writeHead(200, { ...HEADERS, "Content-Type": "text/html; charset=utf-8" });
      response.end(require("./live-page"));
    } else if (path === "/events") this.follow(request, response);
    else refuse(response, 404, "There is nothing here: the dashboard is at /");
  }

  /** Why a request is refused. @param {Request} request @returns {[number, string] | undefined} */
  refusal({ method, headers, url }) {
    if (method !== "GET" && method !== "HEAD") return [405, "The dashboard is read-only"];
    // Another site may have its own name lead here.
    if (isLoopback(this.place.host) && !isLocal(headers.host))
      return [403, "The dashboard answers to localhost and 127.0.0.1 only"];
    const { token } = this.place;
    if (token !== undefined && !isEqual(tokenIn(String(url), headers), token))
      return [401, "The dashboard needs its token: add ?token=… to the address"];
    return undefined;
  }

  /** @param {Request} request @param {Response} response */
  follow({ method }, response) {
    if (this.clients.size >= MOST_CLIENTS)
      return refuse(response, 503, `${MOST_CLIENTS} browsers follow already`);
    // Its end is that of the connection: the last piece cannot be marked as such when the program exits.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream; charset=utf-8" });
    if (method === "HEAD") return response.end();
    const client = new LiveClient(response, () => this.clients.delete(client));
    this.clients.add(client);
    this.onClient();
    return undefined;
  }

  /** @param {string} text that every client gets last */
  close(text) {
    for (const client of this.clients) client.end(text);
    this.clients.clear();
    this.server.close();
    for (const socket of this.idle) socket.destroy();
  }
}

/** @param {Response} response @param {number} status @param {string} text */
function refuse(response, status, text) {
  response.writeHead(status, {
    ...HEADERS,
    "Content-Type": "text/plain; charset=utf-8",
  });
  response.end(`${text}\n`);
}

/** @param {string | undefined} host */
const isLocal = (host) => host !== undefined && isLoopback(nameIn(host));

/** @param {string} host with or without a port */
const nameIn = (host) =>
  host
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();

/** @param {string} url @param {import("http").IncomingHttpHeaders} headers */
function tokenIn(url, { authorization = "" }) {
  const [, bearer] = /^Bearer (\S+)$/.exec(authorization) || [];
  const [, own] = /[?&]token=([\w-]*)/.exec(url) || [];
  return bearer || own || "";
}

/** In a time that says nothing of the token. @param {string} given @param {string} token */
const isEqual = (given, token) => timingSafeEqual(hash(given), hash(token));

/** @param {string} text */
const hash = (text) => createHash("sha256").update(text).digest();

module.exports = { LiveServer };

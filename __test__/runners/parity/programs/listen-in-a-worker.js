"use strict";
const http = require("http");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const get = (port) =>
  new Promise((resolve, reject) => {
    http
      .get({ port, host: "127.0.0.1", agent: false }, (res) =>
        res.setEncoding("utf8").on("data", resolve),
      )
      .on("error", reject);
  });
const stage = async (event, args) => {
  const server = http.createServer((_req, res) => res.end(`served by ${args.workerID}`));
  await new Promise((resolve, reject) =>
    server.on("error", reject).listen(event.data, "127.0.0.1", resolve),
  );
  const { port } = server.address();
  const answer = await get(port);
  await new Promise((resolve) => server.close(resolve));
  return [answer, port > 0];
};

sonicDistribute((queue) => Map(queue, { data: 0 }), [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);

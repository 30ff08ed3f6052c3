"use strict";
// Arms the fault of a pool's cell, in each process of its program: Node loads this before anything else. It knows at which
// moments of a pool the fault strikes, and nothing of what it has to come to.
const fs = require("fs");
const { arm, isDone, isWorker, kill, worker } = require("../inject");
const { blockUntilSeen, log, mark, marked, seen } = require("../../../support/program");

const cell = JSON.parse(process.env.SONIC_FAULTS_CELL);
const { fault, strikes } = cell;

/** The worker that a plain kill has ended, so that the fault can strike in its replacement. */
const FALLEN = "fallen";

const isReplacement = () => marked(FALLEN) && fs.readFileSync(FALLEN, "utf8") === `${worker}`;

const tell = () => log("events.log", `S ${process.pid} ${worker}`);

function fall() {
  fs.writeFileSync(FALLEN, `${worker}`);
  tell();
  kill("SIGKILL");
}

/** The event is there, but not what the master then does. */
function isFatal({ role }) {
  if (role !== "victim") return false;
  if (strikes === "event decode" && !isDone()) {
    mark("victim");
    blockUntilSeen("queued");
  }
  return true;
}

const armed = arm({ fault, moment: strikes }, isFatal, tell);

const injected = {
  begin: armed.begin,
  response: armed.response,
  /** In what each worker runs first. */
  async keep() {
    if (strikes === "each" && worker === 1) await armed.strike("each");
    if (strikes === "kept work" && isReplacement()) await armed.strike("kept work");
    // What was raised where nobody waits for it comes now.
    await new Promise(setImmediate);
  },
  /** In the event that the fault strikes. */
  async strike() {
    mark("victim");
    await seen("queued");
    if (cell.falls && !marked(FALLEN)) fall();
    await armed.run();
    armed.idle();
  },
};

if (isWorker && cell.breaks && isDone() && fs.readFileSync("doomed", "utf8") === `${worker}`)
  process.exit(3);
armed.begin("at start");
if (strikes === "replacement" && isReplacement()) armed.strike("replacement");

module.exports = { cell, injected, isWorker, worker };

import support from "./support.js";
import sonic, * as all from "@tiemma/sonic-distribute";
import {
  sonicDistribute,
  Map,
  isMaster,
  getWorkerName,
  NUM_CPUS,
  clusterEvents,
  Delay,
  getLogger,
} from "@tiemma/sonic-distribute";
import {
  configureWorkers,
  getWorkerID,
  initMaster,
  initWorkers,
  shutdown,
} from "@tiemma/sonic-distribute";

const low = [
  configureWorkers,
  getWorkerID,
  initMaster,
  initWorkers,
  shutdown,
  Delay,
  getLogger,
].map((fn) => typeof fn);
const stage = (event) => `${event.data} in ${getWorkerName()}`;
const outcome = await sonicDistribute(
  (queue) => Map(queue, { data: "ran" }),
  [stage],
  support.both,
  { numWorkers: 1 },
);
if (isMaster())
  support.report({
    outcome,
    low,
    NUM_CPUS,
    clusterEvents,
    same: sonic.Map === Map && all.Map === Map,
  });

// The worker of tinypool, which calls the exported function. Between threads, binary answers are moved, not
// copied.

import { isMainThread } from "node:worker_threads";
import job from "../job.js";
import { serve } from "../serve.js";
import { WORKLOADS } from "../workloads.js";

const moves = WORKLOADS[job.workload].binary && !isMainThread;
const { Tinypool } = moves ? await import("tinypool") : {};

const answerByMoving = (data) => {
  const answer = serve(data);
  return ArrayBuffer.isView(answer) ? Tinypool.move(answer) : answer;
};

export default moves ? answerByMoving : serve;

// Every export of 1.0.3 is here, with the very type it had.
import * as v1 from "sonic-distribute-original";
import * as v2 from "@tiemma/sonic-distribute";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const isTrue = <T extends true>(_?: T): void => undefined;

export const nothingMissing: typeof v1 = v2;
export const nothingChanged: Pick<typeof v2, keyof typeof v1> = v1;

isTrue<Same<typeof v2.Delay, typeof v1.Delay>>();
isTrue<Same<typeof v2.NUM_CPUS, typeof v1.NUM_CPUS>>();
isTrue<Same<typeof v2.clusterEvents, typeof v1.clusterEvents>>();
isTrue<Same<typeof v2.getLogger, typeof v1.getLogger>>();
isTrue<Same<typeof v2.getWorkerName, typeof v1.getWorkerName>>();
isTrue<Same<typeof v2.isMaster, typeof v1.isMaster>>();
isTrue<Same<typeof v2.shutdown, typeof v1.shutdown>>();
isTrue<Same<keyof v2.MapReduceEvent, keyof v1.MapReduceEvent>>();

// These name Queue, which is a class of its own here: the same by structure.
isTrue<Mutual<v2.MapReduceEvent, v1.MapReduceEvent>>();
isTrue<Mutual<v2.MasterFn, v1.MasterFn>>();
isTrue<Mutual<v2.ReduceFn, v1.ReduceFn>>();
isTrue<Mutual<v2.WorkerFn, v1.WorkerFn>>();
isTrue<Mutual<typeof v2.Map, typeof v1.Map>>();
isTrue<Mutual<typeof v2.configureWorkers, typeof v1.configureWorkers>>();
isTrue<Mutual<typeof v2.getWorkerID, typeof v1.getWorkerID>>();
isTrue<Mutual<typeof v2.initMaster, typeof v1.initMaster>>();
isTrue<Mutual<typeof v2.initWorkers, typeof v1.initWorkers>>();
isTrue<Mutual<typeof v2.sonicDistribute, typeof v1.sonicDistribute>>();
isTrue<Same<Parameters<v2.WorkerFn>[1], any>>();
isTrue<Same<ReturnType<v2.ReduceFn>, any>>();
isTrue<Same<Parameters<v2.ReduceFn>[0], v2.Queue<any>>>();

// What a stage knows of its event, and functions that are made stages.
import {
  createPool,
  Map,
  MapReduce,
  RunStatistics,
  stage,
  StageFn,
  Task,
} from "@tiemma/sonic-distribute";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;

const crawl = ({ data }: { data: string }, _args: { workerID: number }, task: Task): number => {
  task.emit(`${data}/next`);
  task.count("pages");
  task.count("bytes", data.length);
  const { attempt, signal } = task;
  signal.addEventListener("abort", () => undefined);
  return signal.aborted ? 0 : attempt;
};
const typed: StageFn<{ salt: string }, number, boolean> = ({ data }, { salt }, task) =>
  data > salt.length + task.attempt;

const staged = stage(crawl, { name: "crawl", retries: 2, taskTimeout: 1000 });
isTrue<Same<Parameters<typeof staged>["length"], 2>>();
isTrue<Same<ReturnType<typeof staged>, number>>();
const untyped = stage(async ({ data }, args, task) => [data, args, task.attempt] as const);

export const run = async (): Promise<void> => {
  const pool = await createPool(
    { crawl, typed, staged, plain: ({ data }, _, { count }) => [data, count] },
    { concurrency: 8 },
  );
  const answered: number = await pool.call(crawl, "a");
  const other: number = await pool.call("staged", "a");
  await pool.call(typed, answered + other, { args: { salt: "" } });
  // @ts-expect-error: it takes a string
  await pool.call(crawl, 1);
  const wrong = (_: { data: string }, _args: object, task: Task): unknown =>
    // @ts-expect-error: a Task has no such thing
    task.attempts;
  const four = (_: { data: string }, _args: object, _task: Task, _more: string): unknown => wrong;
  // @ts-expect-error: a fourth parameter has nobody to give it
  await createPool({ four });
  // @ts-expect-error: no such option
  stage(crawl, { retires: 2 });
  await MapReduce(
    async (queue) => Map(queue, { data: "a" }),
    [staged, untyped],
    () => 1,
    {},
    { concurrency: 4, onStats: ({ counts }: RunStatistics) => counts.pages + counts.bytes },
  );
};

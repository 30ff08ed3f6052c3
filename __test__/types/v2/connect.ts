// A pool of another program: data and results are those of its stages.
import { ConnectOptions, Pool, connectPool, createPool } from "@tiemma/sonic-distribute";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;

class NotFound extends Error {}

const length = ({ data }: { data: string }): number => data.length;
const plus = ({ data }: { data: number }, { n }: { n: number }): number => data + n;
const dated = ({ data }: { data: number }): Date => new Date(data);
const stages = { length, plus, dated };

export const opened = async (): Promise<void> => {
  const pool = await createPool(stages, { listen: "/run/jobs", numWorkers: 1 });
  isTrue<Same<typeof pool, Pool<typeof stages, "json">>>();

  // @ts-expect-error no path
  createPool(stages, { listen: 7 });
};

export const typed = async (signal: ConnectOptions["signal"]): Promise<void> => {
  const options: ConnectOptions = { errors: [NotFound], signal };
  const pool = await connectPool<typeof stages>("/run/jobs", options);
  const size = await pool.call("length", "abc");
  isTrue<Same<typeof size, number>>();
  const sums = await pool.map("plus", [1], { args: { n: 1 } });
  isTrue<Same<typeof sums, number[]>>();
  const day = await pool.call("dated", 1);
  isTrue<Same<typeof day, string>>();
  const workers = pool.workers.map(({ pid }) => pid);
  isTrue<Same<typeof workers, number[]>>();
  await pool.close({ signal });

  // @ts-expect-error no stage
  pool.call("nothing", "abc");
  // @ts-expect-error wrong data
  pool.call("length", 1);
  // @ts-expect-error args are needed
  pool.call("plus", 1);
  // @ts-expect-error no option
  connectPool("/run/jobs", { numWorkers: 1 });
  // @ts-expect-error no path
  connectPool(7);
};

export const advanced = async (): Promise<void> => {
  const pool = await connectPool<typeof stages, "advanced">("/run/jobs");
  const day = await pool.call("dated", 1);
  isTrue<Same<typeof day, Date>>();
};

/** Without the type of the stages. */
export const untyped = async (): Promise<void> => {
  const pool = await connectPool("/run/jobs");
  const anything = await pool.call("length", "abc");
  anything.whatever();
};

// A pool with a worker file: data and results are those of the functions that the file exports.
import { createPool, Pool, PoolEntry } from "@tiemma/sonic-distribute";
import { Photo, resize } from "./pool-file-stages";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;

type Stages = typeof import("./pool-file-stages");

const photo: Photo = { file: "a.jpg", width: 100 };

export const typed = async (): Promise<void> => {
  const pool = await createPool<Stages>("./pool-file-stages.js", { numWorkers: 2 });
  const size = await pool.call("size", photo);
  isTrue<Same<typeof size, number>>();
  const resized = await pool.map("resize", [photo], { args: { width: 10 } });
  isTrue<Same<typeof resized, { width: number; file: string }[]>>();
  const taken = await pool.call("taken", "2026-01-01");
  isTrue<Same<typeof taken, string>>();
  const text = await pool.call("default", "text");
  isTrue<Same<typeof text, string>>();
  const both = await pool.call(["resize", "size"], photo, { args: { width: 10 } });
  isTrue<Same<typeof both, number>>();
  for await (const entry of pool.stream("size", [photo])) {
    isTrue<Same<typeof entry, PoolEntry<Photo, number>>>();
  }

  // @ts-expect-error no function
  pool.call("limit", 1);
  // @ts-expect-error no export
  pool.call("nothing", 1);
  // @ts-expect-error not by the function
  pool.call(resize, photo, { args: { width: 10 } });
  // @ts-expect-error wrong data
  pool.call("size", "a.jpg");
  // @ts-expect-error args are needed
  pool.call("resize", photo);
};

export const advanced = async (): Promise<void> => {
  const options = { serialization: "advanced" } as const;
  const pool = await createPool<Stages, "advanced">("./pool-file-stages.js", options);
  const taken = await pool.call("taken", "2026-01-01");
  isTrue<Same<typeof taken, Date>>();
};

export const inProcess = async (): Promise<void> => {
  const pool = await createPool<Stages>("./pool-file-stages.js", { inProcess: true });
  const size = await pool.call("size", photo);
  isTrue<Same<typeof size, number>>();

  // @ts-expect-error not a boolean
  createPool<Stages>("./pool-file-stages.js", { inProcess: 1 });
};

/** Without the type of the file. */
export const untyped = async (href: string): Promise<void> => {
  const pool = await createPool({ href });
  const anything = await pool.call("resize", photo, { args: { width: 10 } });
  isTrue<Same<typeof anything, any>>();

  // @ts-expect-error neither functions nor a file
  createPool(7);
  // @ts-expect-error neither functions nor a file
  createPool({ file: "./pool-file-stages.js" });
};

/** A module that is a function. */
export const one = async (): Promise<void> => {
  const pool = await createPool<(event: { data: number }) => string>("./one.js");
  const text = await pool.call("default", 1);
  isTrue<Same<typeof text, string>>();
  isTrue<Same<typeof pool extends Pool<infer _> ? true : false, true>>();
};

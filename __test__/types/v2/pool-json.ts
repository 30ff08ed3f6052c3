// What a call of a pool resolves to has the type that JSON makes of it, or the very type with
// `serialization: "advanced"`.
import { createPool, Json, Pool, PoolEntry, PoolOptions } from "@tiemma/sonic-distribute";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;

interface Words {
  [word: string]: number;
}

interface Tree {
  name: string;
  children: Tree[];
}

interface Dated {
  at: Date;
  parent?: Dated;
}

interface Shape {
  kind: "circle" | "square";
  size?: number;
  readonly corners: readonly [number, string];
  words: Words | null;
  tags: string[];
  parts: { trees: Tree[] };
}

/** As Node's own types have it. */
declare class Buffer extends Uint8Array {
  toJSON(): { type: "Buffer"; data: number[] };
}

class Point {
  x = 1;
  private hidden = 2;
  when = new Date();
  norm(): number {
    return this.x + this.hidden;
  }
}

class Money {
  amount = 1;
  toJSON(): string {
    return `${this.amount} EUR`;
  }
}

class Itself {
  a = 1;
  toJSON(): this {
    return this;
  }
}

type Nothing = Record<never, never>;

/** What JSON can hold. */
type Value = string | number | boolean | null | Value[] | { [name: string]: Value };

enum Colour {
  Red,
  Green,
}

// JSON values stay as they are.
isTrue<Same<Json<string>, string>>();
isTrue<Same<Json<"a" | 1 | null>, "a" | 1 | null>>();
isTrue<Same<Json<boolean>, boolean>>();
isTrue<Same<Json<Colour>, Colour>>();
isTrue<Same<Json<undefined>, undefined>>();
isTrue<Same<Json<void>, void>>();
isTrue<Same<Json<never>, never>>();
isTrue<Same<Json<unknown>, unknown>>();
isTrue<Same<Json<any>, any>>();
isTrue<Same<Json<string & { brand: "id" }>, string & { brand: "id" }>>();
isTrue<Same<Json<Words>, Words>>();
isTrue<Same<Json<Tree>, Tree>>();
isTrue<Same<Json<Value>, Value>>();
isTrue<Same<Json<Shape>, Shape>>();
isTrue<Same<Json<Shape[]>, Shape[]>>();
isTrue<Same<Json<readonly Shape[] | undefined>, readonly Shape[] | undefined>>();
isTrue<Same<Json<Value[]>, Value[]>>();
isTrue<Same<Json<{ value: Value; values: readonly Value[] }>["values"], readonly Value[]>>();
isTrue<Same<Json<[number, string]>, [number, string]>>();
isTrue<Same<Json<readonly [string, ...number[]]>, readonly [string, ...number[]]>>();
isTrue<Same<Json<[]>, []>>();
isTrue<Same<Json<Record<string, unknown>>, Record<string, unknown>>>();
isTrue<Same<Json<Record<string, any>>, Record<string, any>>>();
isTrue<Same<Json<any[]>, any[]>>();
isTrue<Same<Json<{ a: string | undefined }>, { a: string | undefined }>>();
isTrue<Same<Json<{ ok: true; error?: undefined }>, { ok: true; error?: undefined }>>();

// What has toJSON() is what that returns.
isTrue<Same<Json<Date>, string>>();
isTrue<Same<Json<Date | null>, string | null>>();
isTrue<Same<Json<Date[]>, string[]>>();
isTrue<Same<Json<readonly Date[]>, readonly string[]>>();
isTrue<Same<Json<RegExpMatchArray | null>, string[] | null>>();
isTrue<Same<Json<Money>, string>>();
isTrue<Same<Json<{ price: Money; of: [Date, number] }>, { price: string; of: [string, number] }>>();
isTrue<Same<Json<Itself>, { a: number }>>();
isTrue<Same<Json<Dated>["at"], string>>();
isTrue<Same<NonNullable<NonNullable<Json<Dated>["parent"]>["parent"]>["at"], string>>();

// What JSON drops is dropped.
isTrue<Same<Json<{ a: number; f(): void; g: () => void }>, { a: number }>>();
isTrue<Same<Json<{ a: any; u: undefined; s: symbol }>, { a: any }>>();
isTrue<Same<Json<{ a?: number; f?: () => void; [Symbol.iterator]: number }>, { a?: number }>>();
isTrue<Same<Json<{ a: string | (() => void) }>, { a: string | undefined }>>();
isTrue<Same<Json<Point>, { x: number; when: string }>>();
isTrue<Same<Json<(string | undefined | (() => void))[]>, (string | null)[]>>();
isTrue<Same<Json<[undefined, Date]>, [null, string]>>();
isTrue<Same<Json<() => void>, undefined>>();
isTrue<Same<Json<typeof Point>, undefined>>();
isTrue<Same<Json<symbol>, undefined>>();
isTrue<Same<Json<bigint>, never>>();
isTrue<Same<Json<Map<string, number>>, Nothing>>();
isTrue<Same<Json<{ set: Set<string>; is: RegExp }>, { set: Nothing; is: Nothing }>>();

// Bytes cross as bytes if they are all there is.
isTrue<Same<Json<Buffer>, Buffer>>();
isTrue<Same<Json<Uint8Array>, Uint8Array>>();
isTrue<Same<Json<Float64Array>, Float64Array>>();
isTrue<Same<Json<Buffer | undefined>, Buffer | undefined>>();
isTrue<Same<Json<{ bytes: Buffer }>, { bytes: { type: "Buffer"; data: number[] } }>>();
isTrue<Same<Json<{ bytes: Uint8Array }>, { bytes: { [index: number]: number } }>>();

const stat = async ({ data }: { data: string }) => ({ file: data, at: new Date() });
const read = ({ data }: { data: string }): Buffer => data as never;
const year = ({ data }: { data: { at: Date } }): number => data.at.getFullYear();
const words = ({ data }: { data: string }): Map<string, number> => new Map([[data, 1]]);
const stages = { stat, read, year, words };

export const json = async (): Promise<void> => {
  const pool = await createPool(stages);
  const result = await pool.call(stat, "file");
  isTrue<Same<typeof result, { file: string; at: string }>>();
  const bytes = await pool.call("read", "file");
  isTrue<Same<typeof bytes, Buffer>>();
  const all = await pool.map(stat, ["file"]);
  isTrue<Same<typeof all, { file: string; at: string }[]>>();
  const settled = await pool.map(stat, ["file"], { settled: true });
  for (const one of settled) {
    if (one.status === "fulfilled") isTrue<Same<typeof one.value, { file: string; at: string }>>();
  }
  for await (const entry of pool.stream(stat, ["file"])) {
    isTrue<Same<typeof entry, PoolEntry<string, { file: string; at: string }>>>();
  }
  await pool.run(
    () => undefined,
    stat,
    (results) => {
      isTrue<Same<ReturnType<typeof results.dequeue>["response"], { file: string; at: string }>>();
    },
  );
  // Between the stages of a pipeline nothing crosses.
  const number = await pool.call([stat, year], "file");
  isTrue<Same<typeof number, number>>();

  // @ts-expect-error a text by now
  result.at.getTime();

  const explicit = await createPool(stages, { serialization: "json", numWorkers: 1 });
  isTrue<Same<typeof explicit, typeof pool>>();
};

export const advanced = async (): Promise<void> => {
  const pool = await createPool(stages, { serialization: "advanced" });
  isTrue<Same<typeof pool, Pool<typeof stages, "advanced">>>();
  const result = await pool.call(stat, "file");
  isTrue<Same<typeof result, { file: string; at: Date }>>();
  const all = await pool.map("words", ["file"]);
  isTrue<Same<typeof all, Map<string, number>[]>>();
  for await (const entry of pool.stream(words, ["file"])) {
    if (!entry.failed) isTrue<Same<typeof entry.response, Map<string, number>>>();
  }
};

/** Who knows. */
export const either = async (options: PoolOptions): Promise<void> => {
  const pool = await createPool(stages, options);
  const { at } = await pool.call(stat, "file");
  isTrue<Same<typeof at, string | Date>>();
};

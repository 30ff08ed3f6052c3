// Locks between processes, and what they share beside: types of callbacks, options and values.
import {
  Lock,
  LockInfo,
  LockManager,
  LockOptions,
  NodeAbortSignal,
  Pool,
  Sync,
  SyncCounter,
  SyncStore,
  WaitOptions,
  locks,
  sync,
} from "@tiemma/sonic-distribute";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;

export const locked = async (signal: LockOptions["signal"]): Promise<void> => {
  const plain = await locks.request("a", (lock) => {
    isTrue<Same<typeof lock, Lock>>();
    isTrue<Same<typeof lock.mode, "exclusive" | "shared">>();
    isTrue<Same<typeof lock.signal, NodeAbortSignal>>();
    return lock.token;
  });
  isTrue<Same<typeof plain, number>>();
  const awaited = await locks.request("a", async () => "text" as string);
  isTrue<Same<typeof awaited, string>>();
  const shared = await locks.request("a", { mode: "shared", signal }, async ({ name }) => [name]);
  isTrue<Same<typeof shared, string[]>>();
  const limited = await locks.request("a", { limit: 5 }, ({ token }) => token);
  isTrue<Same<typeof limited, number>>();
  const available = await locks.request("a", { ifAvailable: true }, (lock) => {
    isTrue<Same<typeof lock, Lock | null>>();
    return lock !== null;
  });
  isTrue<Same<typeof available, boolean>>();
  const options: LockOptions = { steal: true };
  await locks.request("a", options, (lock) => lock?.token);
  await locks.request("a", undefined, (lock) => lock.token);
  await locks.request("a", () => undefined);
  const { held, pending } = await locks.query();
  isTrue<Same<typeof held, LockInfo[]>>();
  const events = pending.map(({ event, worker, pid }) => [event, worker, pid] as const);
  isTrue<Same<typeof events, (readonly [number | undefined, number | undefined, number])[]>>();

  // @ts-expect-error no callback
  locks.request("a");
  // @ts-expect-error no name
  locks.request(() => undefined);
  // @ts-expect-error no such mode
  locks.request("a", { mode: "read" }, () => undefined);
  // @ts-expect-error a limit is a number
  locks.request("a", { limit: "5" }, () => undefined);
  // @ts-expect-error the lock may be null
  locks.request("a", { ifAvailable: true }, (lock) => lock.token);
  // @ts-expect-error the lock is read-only
  locks.request("a", (lock) => (lock.name = "b"));
};

export const shared = async (wait: WaitOptions): Promise<void> => {
  const counter = sync.counter("a");
  isTrue<Same<typeof counter, SyncCounter>>();
  const numbers = [
    counter.load(),
    counter.store(1),
    counter.add(),
    counter.add(2),
    counter.exchange(3),
    counter.compareExchange(3, 4),
  ];
  isTrue<Same<typeof numbers, number[]>>();
  const place = await sync.barrier("a", 4).wait(wait);
  const left = await sync.latch("a", 4).countDown(2);
  isTrue<Same<typeof place | typeof left, number>>();
  await sync.latch("a", 4).wait();
  const value = await sync.once("a", async () => ({ when: new Date() }));
  isTrue<Same<typeof value, { when: Date }>>();
  const plain = await sync.once("a", () => 5 as number, wait);
  isTrue<Same<typeof plain, number>>();
  await sync.limiter("a", { tokens: 5, per: 1000, burst: 10 }).take(2, wait);

  // @ts-expect-error no parties
  sync.barrier("a");
  // @ts-expect-error no function
  sync.once("a", 5);
  // @ts-expect-error no time
  sync.limiter("a", { tokens: 5 });
  // @ts-expect-error text
  counter.add("1");
};

export const stored = async (): Promise<void> => {
  const store = sync.store<Set<string>>("a");
  isTrue<Same<typeof store, SyncStore<Set<string>>>>();
  const entry = await store.get("k");
  isTrue<Same<typeof entry, { value: Set<string>; version: number } | undefined>>();
  const version = await store.set("k", new Set(["a"]));
  isTrue<Same<typeof version, number>>();
  const perhaps = await store.set("k", new Set(), { ifVersion: version });
  isTrue<Same<typeof perhaps, number | undefined>>();
  const updated = await store.update("k", async (old) => new Set([...(old || []), "b"]));
  isTrue<Same<typeof updated, Set<string>>>();
  const deleted = await store.delete("k");
  isTrue<Same<typeof deleted, boolean>>();
  await sync.store("b").set("k", 5);

  // @ts-expect-error another type
  store.set("k", 5);
  // @ts-expect-error a key is text
  store.get(5);
};

export const inPool = (pool: Pool<{ a: () => void }>): [LockManager, Sync] => {
  // @ts-expect-error read-only
  pool.locks = locks;
  return [pool.locks, pool.sync];
};

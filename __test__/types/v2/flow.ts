// The types of a flow go from its source to the entries of its sinks, with no type written twice.
import {
  createPool,
  flow,
  Flow,
  FlowEntry,
  FlowFailure,
  FlowJoined,
  FlowKey,
  FlowNode,
  FlowResult,
  FlowResults,
  FlowSinkResult,
  Map,
  MapReduce,
  Queue,
  stage,
  Stages,
  stream,
} from "@tiemma/sonic-distribute";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;
/** Whether a node has exactly these items. */
const has = <T>() => ({
  items: <U>(_: FlowNode<U>, ..._same: Same<T, U> extends true ? [] : [never]) => undefined,
});
const gives = <T>() => ({
  inPromise: <U>(_: Promise<U>, ..._same: Same<T, U> extends true ? [] : [never]) => undefined,
});

interface Photo {
  path: string;
  size: number;
}

const load = async ({ data }: { data: string }): Promise<Photo> => ({ path: data, size: 1 });
const width = ({ data }: { data: Photo }, { scale }: { scale: number }): number =>
  data.size * scale;
const sizeOf = stage(({ data }: { data: Photo }) => data.size, { retries: 2 });
const send = (queue: Queue): Promise<void> => Map(queue, { data: "a" });

/** What items are behind each kind of node. */
export const kinds = flow((source: FlowNode<string>) => {
  has<string>().items(source);
  has<Photo>().items(source.map(load));
  has<number>().items(source.map(load).map(width));
  has<number>().items(source.map(load).map(sizeOf, { tags: ["cpu"], maxWaiting: 5 }));
  has<number>().items(source.map(({ data }) => data.length));
  has<string[]>().items(source.map(async ({ data }) => data.split(" ")));
  has<string>().items(source.map(() => new Date()));
  has<number | undefined>().items(source.map(({ data }) => (data ? data.length : undefined)));
  has<[string, number]>().items(source.map(({ data }) => [data, 1]));
  has<[string, number]>().items(source.map(async ({ data }) => [data, data.length]));
  has<{ at: string; by: number }>().items(
    source.map(({ data }, { workerID }, task) => ({ at: data, by: workerID + task.attempt })),
  );

  has<string>().items(source.flatMap(({ data }) => data.split(" ")));
  has<number>().items(source.flatMap(() => new Set([1])));
  has<number>().items(source.flatMap(async () => [1, 2]));
  has<Photo>().items(
    source.flatMap(function* ({ data }) {
      yield { path: data, size: 1 };
    }),
  );
  has<string>().items(
    source.flatMap(async function* ({ data }) {
      yield data;
    }),
  );
  // @ts-expect-error a string is no iterable here
  source.flatMap(({ data }) => data);
  // @ts-expect-error a number is no iterable
  source.flatMap(() => 1);

  const photos = source.map(load);
  has<Photo>().items(photos.filter(({ data }) => data.size > 1));
  has<Photo>().items(
    photos.filter(async ({ data }, args: { least: number }) => data.size > args.least),
  );

  const { small, large } = photos.split(
    ({ data }) => (data.size < 5 ? "small" : "large"),
    ["small", "large"],
  );
  has<Photo>().items(small);
  has<FlowFailure>().items(large.errors);
  const branches = photos.split(async () => "only" as const, ["only"]);
  has<Photo>().items(branches.only);
  // @ts-expect-error there is no such branch
  photos.split(() => "smal", ["small", "large"]);
  // @ts-expect-error there is no such branch
  branches.other;

  has<Photo | string>().items(photos.merge(source));
  has<Photo | string | number>().items(photos.merge(source, source.map(sizeOfText), source));
  has<Photo>().items(photos.merge());

  has<Photo[]>().items(photos.batch({ count: 10, ms: 100, bytes: 1e6, name: "ten" }));
  has<number>().items(photos.batch({ ms: 1 }).map(({ data }) => data.length));

  has<number>().items(photos.reduce((all) => all.length));
  has<Photo[]>().items(photos.reduce(async (all) => all, { in: "master", name: "all" }));
  has<number>().items(photos.reduce((all, { scale }: { scale: number }) => all.length * scale));

  const pairs = photos.map(({ data }) => [data.path, data.size]);
  has<[string, number]>().items(pairs.reduceByKey((a, b) => a + b, { memory: 1e6 }));
  has<{ key: string; sum: number }>().items(
    pairs.groupByKey(({ key, values }) => {
      let sum = 0;
      for (const value of values) sum += value;
      return { key, sum };
    }),
  );
  has<[string, number]>().items(pairs.groupByKey(async ({ key }, { workerID }) => [key, workerID]));
  // @ts-expect-error the items are no pairs
  photos.reduceByKey((a) => a);
  // @ts-expect-error the items are no pairs
  photos.groupByKey(() => 1);
  // @ts-expect-error an object is no key
  photos.map(({ data }) => [data, 1]).reduceByKey((a) => a);
  // @ts-expect-error the values are numbers
  pairs.reduceByKey((a, b) => a.concat(b));

  has<FlowJoined<string, Photo, string, "inner">>().items(
    photos.join(source, { on: [(photo) => photo.path, (path) => path] }),
  );
  has<{ key: string; left: Photo; right: string }>().items(
    photos.join(source, { on: [(photo) => photo.path, (path) => path] }),
  );
  has<{ key: string; left: Photo; right?: string }>().items(
    photos.join(source, { on: [(photo) => photo.path, (path) => path], kind: "left", memory: 1 }),
  );
  has<{ key: number; left?: Photo; right?: string }>().items(
    photos.join(source, { on: [({ size }) => size, ({ length }) => length], kind: "outer" }),
  );
  // @ts-expect-error keys of a kind
  photos.join(source, { on: [(photo) => photo.size, (path) => path] });
  // @ts-expect-error there is no such kind
  photos.join(source, { on: [(photo) => photo.path, (path) => path], kind: "right" });
  // @ts-expect-error on is missing
  photos.join(source, { kind: "left" });

  has<Photo>().items(photos.sortBy((photo) => photo.size));
  // @ts-expect-error an object is no key
  photos.sortBy((photo) => photo);

  has<FlowFailure>().items(photos.errors);
  has<[unknown, string, string]>().items(
    photos.errors.map(({ data: { data, node, error } }) => [data, node, error.message]),
  );

  // @ts-expect-error it takes a photo
  source.map(width);
  // @ts-expect-error there is no such option
  source.map(load, { memory: 1 });
  // @ts-expect-error there is no such option
  source.map(load, { key: () => 1 });
  // @ts-expect-error a batch has no tags
  source.batch({ count: 1, tags: [] });
  // @ts-expect-error it says when it is full
  source.batch();
  return photos;
});

interface Order {
  type: "order";
  by: number;
  item: string;
}
interface Customer {
  type: "customer";
  id: number;
  name: string;
}
type Row = Order | Customer;

const isOrder = (event: { data: Row }): event is { data: Order } => event.data.type === "order";

/** What is behind a filter or a split can be narrower than what is before it. */
export const narrowed = flow((source: FlowNode<Row>) => {
  has<Order>().items(source.filter(isOrder));
  has<Order>().items(source.filter(isOrder, { tags: ["cpu"] }));
  has<Row>().items(source.filter(({ data }) => data.type === "order"));
  // @ts-expect-error it is a guard of other items
  source.map(() => 1).filter(isOrder);

  const { order, customer } = source.split<{ order: Order; customer: Customer }>(
    ({ data }) => data.type,
    ["order", "customer"],
    { retries: 1 },
  );
  has<Order>().items(order);
  has<Customer>().items(customer);
  has<{ key: number; left: Order; right?: Customer }>().items(
    order.join(customer, { on: [({ by }) => by, ({ id }) => id], kind: "left" }),
  );
  has<Row>().items(source.split<"a" | "b">(() => "a", ["a", "b"]).b);
  // @ts-expect-error there is no such branch
  source.split<{ order: Order; customer: Customer }>(() => "other", ["order", "customer"]);
  // @ts-expect-error there is no such branch
  source.split<{ order: Order }>(() => "order", ["order", "other"]);
  // @ts-expect-error no row is a photo
  source.split<{ order: Photo }>(() => "order", ["order"]);
  return order;
});

function sizeOfText({ data }: { data: string }): number {
  return data.length;
}

const one = flow((source: FlowNode<string>) => source.map(load).map(sizeOf));
const several = flow((source: FlowNode<string>) => {
  const photos = source.map(load);
  return { photos, sizes: photos.map(sizeOf), broken: photos.errors };
});
const branched = flow((source: FlowNode<string>) => source.split(() => "a" as const, ["a", "b"]));
const untyped = flow((source) => source.map(({ data }) => [data]));
const advanced = flow((source: FlowNode<Date, "advanced">) =>
  source.map(({ data }) => new Set([data])),
);

isTrue<Same<typeof one, Flow<string, FlowNode<number>>>>();
isTrue<
  Same<FlowResults<typeof branched>, FlowSinkResult<"a", string> | FlowSinkResult<"b", string>>
>();
isTrue<Same<typeof untyped, Flow<unknown, FlowNode<[unknown]>>>>();
isTrue<Same<typeof advanced, Flow<Date, FlowNode<Set<Date>, "advanced">>>>();
isTrue<Same<FlowResults<typeof one>, FlowResult<number>>>();
isTrue<
  Same<
    FlowResults<typeof several>,
    | FlowSinkResult<"photos", Photo>
    | FlowSinkResult<"sizes", number>
    | FlowSinkResult<"broken", FlowFailure>
  >
>();

/** The entries tell their sinks apart. */
export const read = (entry: FlowEntry<typeof several>): string | number => {
  if (entry.failed) return entry.node + entry.error.message + String(entry.data);
  if (entry.sink === "photos") return entry.response.path;
  if (entry.sink === "broken") return entry.response.node;
  return entry.response.toFixed() + entry.id;
};

export const runs = async (): Promise<void> => {
  gives<number | undefined>().inPromise(
    MapReduce(send, one, (results, failures) => {
      isTrue<Same<typeof results, Queue<FlowResult<number>>>>();
      isTrue<Same<typeof failures, Queue<FlowFailure>>>();
      return results.dequeue().response + failures.dequeue().node.length;
    }),
  );
  await MapReduce(
    async (queue, { files }) => {
      for (const file of files) await Map(queue, { data: file });
    },
    several,
    (results) => {
      for (const entry of results.getElements())
        if (entry.sink === "sizes") entry.response.toFixed();
    },
    { files: ["a"], numWorkers: 2 },
    { name: "sizes", retries: 1 },
  );
  for await (const entry of stream(send, several, {}, { maxResultsWaiting: 5 })) {
    if (!entry.failed && entry.sink === "photos") entry.response.path.trim();
    // @ts-expect-error what it is depends on the sink
    entry.response.path;
  }
  // @ts-expect-error there is no such option
  await MapReduce(send, one, () => 1, {}, { retires: 1 });
  // @ts-expect-error the response is a number
  await MapReduce(send, one, (results) => results.dequeue().response.path);
  // @ts-expect-error a flow is no stage
  await MapReduce(send, [one], () => 1);
};

export const pools = async (): Promise<void> => {
  const pool = await createPool({ one, several, load, plain: ({ data }) => data });
  gives<Photo>().inPromise(pool.call(load, "a"));
  gives<unknown>().inPromise(pool.call("plain", "a"));

  gives<number>().inPromise(pool.run(send, one, (results) => results.dequeue().response));
  gives<number>().inPromise(pool.run(send, "one", (results) => results.dequeue().response));
  await pool.run(
    (queue, { file }) => Map(queue, { data: file }),
    "several",
    (results, failures) => {
      isTrue<Same<typeof results, Queue<FlowResults<typeof several>>>>();
      isTrue<Same<typeof failures, Queue<FlowFailure>>>();
    },
    { file: "a" },
    { tags: [], taskTimeout: 5 },
  );
  for await (const entry of pool.stream(several, ["a", "b"], { args: { scale: 2 } })) {
    isTrue<Same<typeof entry, FlowEntry<typeof several>>>();
    if (entry.sink === "sizes") entry.response.toFixed();
  }
  pool.stream("one", ["a"]);
  // @ts-expect-error it takes strings
  pool.stream(one, [1]);
  // @ts-expect-error a flow has no single result
  await pool.call(one, "a");
  // @ts-expect-error a flow has no single result
  await pool.call("several", "a");
  // @ts-expect-error a flow has no single result
  await pool.map(one, ["a"]);
  // @ts-expect-error a flow has no single result
  await pool.map("one", ["a"]);
  // @ts-expect-error a flow has no single result
  await pool.each("one", "a");
  // @ts-expect-error a flow is no stage of a pipeline
  await pool.call([load, "one"], "a");
  // @ts-expect-error a flow is no stage of a pipeline
  pool.stream(["one", load], ["a"]);
  // @ts-expect-error it is not one of the pool's
  await pool.run(send, branched, () => 1);
};

export const stages: Stages = { one, load };

export const wrong = (): void => {
  // @ts-expect-error it returns a node
  flow((source: FlowNode<string>) => source.filter);
  // @ts-expect-error it returns nodes
  flow((source: FlowNode<string>) => ({ source, other: 1 }));
  // @ts-expect-error it is not async
  flow(async (source: FlowNode<string>) => source);
  // @ts-expect-error it has one parameter
  flow((source: FlowNode<string>) => source, {});
  // @ts-expect-error nobody knows what the data are
  flow((source) => source.map(({ data }) => data.length));
  const key: FlowKey = null;
  isTrue<Same<typeof key, null>>();
};

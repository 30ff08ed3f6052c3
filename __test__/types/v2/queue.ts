// `Queue` here and in sonic-core: one stands in for the other, both ways, as a type and as a value.
import { Queue as CoreQueue } from "@tiemma/sonic-core";
import { Map, Queue } from "@tiemma/sonic-distribute";

interface Entry {
  id: number;
}

export const ours: Queue<Entry> = new CoreQueue<Entry>();
export const theirs: CoreQueue<Entry> = new Queue<Entry>();
export const oursByDefault: Queue = new CoreQueue();
export const theirsByDefault: CoreQueue = new Queue();
export const oursInside: Promise<Queue<Entry>[]> = Promise.resolve([new CoreQueue<Entry>()]);
export const theirsInside: Promise<CoreQueue<Entry>[]> = Promise.resolve([new Queue<Entry>()]);
export const takesOurs: (queue: CoreQueue<Entry>) => void = (_: Queue<Entry>) => undefined;
export const takesTheirs: (queue: Queue<Entry>) => void = (_: CoreQueue<Entry>) => undefined;

export class Ordered extends Queue<Entry> {
  public enqueue(entry: Entry): void {
    super.enqueue(entry);
    this.elements.sort((a, b) => a.id - b.id);
  }
}

export const use = async (queue: Queue<Entry>): Promise<number> => {
  const element: Entry = queue.dequeue();
  const elements: Entry[] = queue.getElements();
  const empty: boolean = queue.isEmpty();
  queue.elements = elements;
  queue.enqueue({ id: 1 });
  await Map(new Ordered(), { data: empty });
  await Map(new CoreQueue<number>(), { data: empty });

  // @ts-expect-error no such entry
  queue.enqueue({ name: "entry" });
  // @ts-expect-error 1.0.3's queue has no length
  return element.id + queue.length;
};

// @ts-expect-error a queue of texts is no queue of entries
export const wrong: Queue<Entry> = new CoreQueue<string>();

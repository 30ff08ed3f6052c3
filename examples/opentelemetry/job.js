"use strict";
/**
 * A run that exports OpenTelemetry spans. The exporter here keeps them in memory, to print them.
 *
 *   node examples/opentelemetry/job.js
 */
const sdk = require("@opentelemetry/sdk-trace-base");
const { MapReduce, Map, isMaster } = require("../..");
const { Bridge } = require("./bridge");

/** In your own program: `new BatchSpanProcessor(new OTLPTraceExporter())`. */
const exporter = new sdk.InMemorySpanExporter();
const provider = new sdk.BasicTracerProvider({
  spanProcessors: [new sdk.SimpleSpanProcessor(exporter)],
});

const masterFn = async (workerQueue) => {
  for (let n = 1; n <= 6; n++) await Map(workerQueue, { data: n });
};

const workerFn = async ({ data }) => {
  await new Promise((resolve) => setTimeout(resolve, 10 * data));
  if (data === 3) throw new Error("no threes");
  if (data === 5) process.exit(7);
  return data;
};

async function main() {
  // Only the master has runs to report.
  const bridge = isMaster() ? new Bridge(provider.getTracer("job")) : undefined;
  await MapReduce(masterFn, [workerFn], () => {}, { numWorkers: 2 });
  if (bridge === undefined) return;
  bridge.close();
  await provider.forceFlush();
  show(exporter.getFinishedSpans());
}

/** Prints one line per span, with the events of a run below it. */
function show(spans) {
  for (const run of spans.filter((span) => span.parentSpanContext === undefined)) {
    const { "sonic.answered": answered, "sonic.failed": failed } = run.attributes;
    console.log(`${run.name}: ${answered} answered, ${failed} failed`);
    for (const { name, attributes } of run.events) {
      const { "sonic.worker": worker, "sonic.exit": exit } = attributes;
      console.log(`  ${name}: worker ${worker}, ${exit}`);
    }
    const own = spans.filter((span) => span.parentSpanContext?.spanId === run.spanContext().spanId);
    for (const span of own.sort(
      (a, b) => a.attributes["sonic.event"] - b.attributes["sonic.event"],
    )) {
      const { "sonic.event": event, "sonic.outcome": outcome } = span.attributes;
      const [seconds, nanoseconds] = span.duration;
      const milliseconds = (seconds * 1e3 + nanoseconds / 1e6).toFixed(0);
      console.log(`  ${span.name} ${event}: ${outcome}, ${milliseconds} ms`);
    }
  }
}

main();

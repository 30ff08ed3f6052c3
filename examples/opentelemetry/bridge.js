"use strict";
/**
 * Makes OpenTelemetry spans from the package's messages on `diagnostics_channel`: one span per run, and inside it one
 * per event. Takes a tracer of `@opentelemetry/api`. Exporters and samplers are up to your program.
 */
const { ROOT_CONTEXT, SpanStatusCode, trace } = require("@opentelemetry/api");
const { channel } = require("node:diagnostics_channel");

class Bridge {
  /** @param {import("@opentelemetry/api").Tracer} tracer */
  constructor(tracer) {
    this.tracer = tracer;
    /** The spans of the current runs, by run number. */
    this.runs = new Map();
    // Node drops a channel without references, and its subscribers with it.
    this.subscriptions = Object.entries({
      "run:start": (message) => this.begin(message),
      "run:end": (message) => this.end(message),
      "run:error": (message) => this.fail(message),
      "worker:exit": (message) => this.lose(message),
      "task:end": (message) => this.task(message),
      "task:failed": (message) => this.task(message),
    }).map(([name, hear]) => ({ channel: channel(`sonic-distribute:${name}`), hear }));
    for (const { channel, hear } of this.subscriptions) channel.subscribe(hear);
  }

  /** Unsubscribes from all channels. */
  close() {
    for (const { channel, hear } of this.subscriptions) channel.unsubscribe(hear);
  }

  begin({ run, workers, startedAt }) {
    const attributes = { "sonic.workers": workers.length };
    this.runs.set(run, this.tracer.startSpan("MapReduce", { startTime: startedAt, attributes }));
  }

  task({ run, id, worker, queued, started, finished, outcome, attempts }) {
    const parent = this.runs.get(run);
    // An event that never started, because the run ended first, took no time.
    const times = { startTime: started ?? finished };
    const attributes = {
      "sonic.event": id,
      "sonic.outcome": outcome,
      "sonic.attempts": attempts,
      ...(worker === undefined || worker === null ? {} : { "sonic.worker": worker }),
      ...(started === undefined || started === null ? {} : { "sonic.waited": started - queued }),
    };
    const context = parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const span = this.tracer.startSpan("event", { ...times, attributes }, context);
    if (outcome !== "answered" && outcome !== "nothing") {
      span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
    }
    span.end(finished);
  }

  lose({ run, worker, code, signal }) {
    const ended = { "sonic.worker": worker, "sonic.exit": String(signal ?? code) };
    this.runs.get(run)?.addEvent("worker exit", ended);
  }

  end({ run, statistics }) {
    const { handedOver, answered, failed, restarts } = statistics;
    const counts = Object.entries({ handedOver, answered, failed, restarts });
    const span = this.runs.get(run);
    if (span === undefined) return;
    span.setAttributes(Object.fromEntries(counts.map(([name, value]) => [`sonic.${name}`, value])));
    span.end();
    this.runs.delete(run);
  }

  fail({ run, error, statistics }) {
    const span = this.runs.get(run);
    span?.recordException(error);
    span?.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
    this.end({ run, statistics });
  }
}

module.exports = { Bridge };

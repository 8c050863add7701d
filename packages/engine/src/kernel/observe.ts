import type { Details } from './error.ts'

/** Structured log lines. Implementations redact; callers pass plain values only. */
export interface Logger {
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: Details): void
}
export const silentLogger: Logger = { log: () => {} }

/** Counters and gauges by Prometheus names in base units. Never a condition of correctness. */
export interface Metrics {
  count(name: string, by?: number, labels?: Readonly<Record<string, string>>): void
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void
}
export const silentMetrics: Metrics = { count: () => {}, gauge: () => {}, observe: () => {} }

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>
/** Spans of work, for whoever traces requests through the engine. Never a condition of correctness. */
export interface Tracer {
  /**
   * Runs `work` inside a span; what `work` throws ends the span as an error and is thrown on.
   * @param attributes `traceparent` (W3C) names the request that the work comes from, where it is done apart from it: a link
   * @param outcome attributes that only the answer tells
   */
  span<T>(
    name: string,
    attributes: SpanAttributes,
    work: () => Promise<T>,
    outcome?: (value: T) => SpanAttributes,
  ): Promise<T>
}
export const silentTracer: Tracer = { span: (_name, _attributes, work) => work() }

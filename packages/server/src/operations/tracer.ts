import type { SpanAttributes, Tracer } from '@kaccy/bitcoin/kernel'
import {
  type Attributes,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { redactText } from './redact.ts'

const NAME = 'kaccy-bitcoin'
/** A span that carries this attribute is linked to the trace it names: an event to the request that it came from. */
const LINK = 'traceparent'

/**
 * The engine's spans in OpenTelemetry. Only the API is a dependency: without an SDK (started by `node --import`), every span is
 * a no-operation.
 */
export const openTelemetryTracer: Tracer = {
  span: (name, attributes, work, outcome) =>
    trace
      .getTracer(NAME)
      .startActiveSpan(
        name,
        { kind: SpanKind.INTERNAL, attributes: shown(attributes), links: linksOf(attributes) },
        (span) => ended(span, work, outcome),
      ),
}

/** The span of one request, a child of the trace that its `traceparent` names. Answers what `work` answers. */
export function requestSpan<T>(
  request: { readonly method: string; readonly route: string; readonly id: string },
  headers: Readonly<Record<string, unknown>>,
  work: () => Promise<T>,
  statusOf: () => number,
): Promise<T> {
  const parent = propagation.extract(ROOT_CONTEXT, headers)
  const attributes = {
    'http.request.method': request.method,
    'http.route': request.route,
    'kaccy.request_id': request.id,
  }
  return context.with(parent, () =>
    trace
      .getTracer(NAME)
      .startActiveSpan(
        `${request.method} ${request.route}`,
        { kind: SpanKind.SERVER, attributes },
        (span) => ended(span, work, () => ({ 'http.response.status_code': statusOf() })),
      ),
  )
}

/** The W3C text of the span that runs now; undefined without one. */
export function currentTraceparent(): string | undefined {
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  return carrier['traceparent']
}

/** Ids of the span that runs now, for log lines. */
export function currentTrace(): Readonly<Record<string, string>> {
  const span = trace.getActiveSpan()?.spanContext()
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
}

async function ended<T>(
  span: Span,
  work: () => Promise<T>,
  outcome: ((value: T) => SpanAttributes) | undefined,
): Promise<T> {
  try {
    const value = await work()
    if (outcome) span.setAttributes(outcome(value))
    return value
  } catch (error) {
    const message = redactText(error instanceof Error ? error.message : String(error))
    span.setStatus({ code: SpanStatusCode.ERROR, message })
    if (error instanceof Error && 'code' in error)
      span.setAttribute('error.type', String(error.code))
    throw error
  } finally {
    span.end()
  }
}

const shown = (attributes: SpanAttributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== LINK))

function linksOf(attributes: SpanAttributes): Link[] {
  const traceparent = attributes[LINK]
  if (typeof traceparent !== 'string') return []
  const [, traceId = '', spanId = '', flags = ''] =
    /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(traceparent) ?? []
  if (traceId === '') return []
  return [{ context: { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true } }]
}

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Origin } from '@kaccy/bitcoin/kernel'

/** For whom the process works at this moment. */
export interface RequestContext extends Origin {
  /** The client's own word for a chain of requests, checked: `X-Correlation-Id`. */
  readonly correlationId?: string
}

const storage = new AsyncLocalStorage<RequestContext>()

/** Runs the work of one request; whatever it calls can ask which one that is. */
export const withRequest = <T>(context: RequestContext, work: () => T): T =>
  storage.run(context, work)

/** The request that is worked for. Undefined: none, the process works by itself. */
export const currentRequest = (): RequestContext | undefined => storage.getStore()

/** What `EngineOptions.origin` is given: events and audit entries then name the request. */
export const requestOrigin = (): Origin | undefined => {
  const context = storage.getStore()
  if (!context) return undefined
  const { requestId, traceparent } = context
  return { requestId, ...(traceparent === undefined ? {} : { traceparent }) }
}

/** Version 00 exactly; the all-zero ids are invalid. Source: W3C Trace Context 3.2. */
const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
const CORRELATION = /^[\w.:-]{1,128}$/

type Header = string | readonly string[] | undefined

const checked = (header: Header, form: RegExp): string | undefined =>
  typeof header === 'string' && form.test(header) ? header : undefined

/** What a client says of where its request came from. What has another form is dropped: it goes to logs and on to others. */
export function readContext(
  requestId: string,
  headers: Readonly<Record<string, Header>>,
): RequestContext {
  const traceparent = checked(headers['traceparent'], TRACEPARENT)
  const correlationId = checked(headers['x-correlation-id'], CORRELATION)
  return {
    requestId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(correlationId === undefined ? {} : { correlationId }),
  }
}

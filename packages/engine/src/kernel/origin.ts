/** The request that a piece of work is done for: it stands in the audit entries and the events of that work. */
export interface Origin {
  /** `req_…`, as the answer's `X-Request-Id` shows it. */
  readonly requestId: string
  /** W3C Trace Context, as it came in or was begun for the request. */
  readonly traceparent?: string
}

/** Tells for which request the caller works; asked at the entry of a verb. Undefined: for nobody, the engine works by itself. */
export type OriginOf = () => Origin | undefined

/** What a transaction knows of its request. */
export interface Originated {
  readonly origin?: Origin
}

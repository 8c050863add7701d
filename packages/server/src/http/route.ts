import type { Once } from '@kaccy/bitcoin/idempotency'
import type { ErrorCode } from '@kaccy/bitcoin/kernel'
import type { Static, TSchema } from 'typebox'
import type { Principal, Scope } from './principal.ts'

/** What a handler answers with. */
export interface Answer {
  readonly status: number
  /** By the schema of that status; undefined for 204. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** One request whose form and rights are right. */
export interface Asked<Path, Query, Body> {
  readonly path: Path
  readonly query: Query
  readonly body: Body
  readonly principal: Principal
  readonly requestId: string
  /** Address of the client, behind trusted proxies. */
  readonly address: string
  /** That address is the one of a proxy which the configuration does not trust: who asked is not known. */
  readonly isRelayed: boolean
  readonly accept: string
  /**
   * For routes with `once: 'inside'`: commits the answer together with what the verb makes. Undefined when the client sent
   * no `Idempotency-Key`.
   */
  once<T>(present: (made: T) => Answer): Once<T> | undefined
}

export interface RouteSchemas {
  readonly path?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  /** By status: what a good answer looks like. Problems are added for every route. */
  readonly answers: Readonly<Record<number, TSchema>>
}
type StaticOr<S, Otherwise> = S extends TSchema ? Static<S> : Otherwise

/** One operation of the API: what is asked, what is answered, who may. Its rules are the engine's. */
export interface Route<S extends RouteSchemas = RouteSchemas> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Fastify form: `/v1/orders/:order`. */
  readonly url: string
  /** Name in the OpenAPI document, unique: `createOrder`. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly tag: string
  /** `public`: no key needed. `any`: every valid key. */
  readonly scope: Scope | 'public' | 'any'
  /**
   * Whether `Idempotency-Key` is understood: `inside` the verb's own transaction, or `around` a verb that is idempotent by
   * nature (the same call again changes nothing).
   */
  readonly once?: 'inside' | 'around'
  /** Money moves: without `Idempotency-Key` it is refused. */
  readonly requiresKey?: boolean
  /** The answer is kept for ever, where others are forgotten after days. */
  readonly keepsForEver?: boolean
  /** The field of the body that the bytes of an `application/octet-stream` stand for, as base64. Without it only JSON is taken. */
  readonly bytes?: string
  /** For probes and scrapers: answered also while the server drains, and not counted against an address. */
  readonly always?: boolean
  /** Codes of refusals that this route can answer, besides those of every route. */
  readonly refuses?: readonly ErrorCode[]
  /** Largest body in bytes, where the server's own limit is too small for what is sent here. */
  readonly bodyLimit?: number
  readonly schemas: S
  handle(
    asked: Asked<
      StaticOr<S['path'], unknown>,
      StaticOr<S['query'], unknown>,
      StaticOr<S['body'], undefined>
    >,
  ): Promise<Answer>
}

/** The routes of one resource, and the schemas that they refer to by name. */
export interface Resource {
  readonly routes: readonly Route[]
  readonly named: readonly TSchema[]
}

/** Ties the types of a route's handler to its schemas. */
export const route = <const S extends RouteSchemas>(definition: Route<S>): Route =>
  definition as unknown as Route

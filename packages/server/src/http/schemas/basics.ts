import { type Static, type TObject, type TSchema, Type } from 'typebox'

/** A schema that stands in the OpenAPI document under its name, and is referred to by it. */
export const named = <S extends TSchema>(name: string, schema: S): S => ({ ...schema, $id: name })

/** Refers to a named schema, with its static type. */
export const ref = <S extends TSchema>(schema: S) =>
  Type.Unsafe<Static<S>>({ $ref: `${(schema as { readonly $id?: string }).$id}#` })

export const object = <P extends Parameters<typeof Type.Object>[0]>(
  properties: P,
  options: Parameters<typeof Type.Object>[1] = {},
): TObject<P> => Type.Object(properties, { additionalProperties: false, ...options })

/** Satoshi as a JSON integer: 21 million BTC fit below 2^53. Written from a bigint digit by digit. */
export const Satoshi = (description: string, least = 0) =>
  Type.Integer({ minimum: least, maximum: 2_100_000_000_000_000, description })
/** What an answer holds: a bigint in the process, an integer on the wire. */
export const SatoshiOut = (description: string) =>
  Type.Unsafe<bigint>({ type: 'integer', minimum: 0, maximum: 2_100_000_000_000_000, description })
export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])

/** One of some words. */
export const words = <const W extends readonly string[]>(list: W, description?: string) =>
  Type.Unsafe<W[number]>({
    type: 'string',
    enum: [...list],
    ...(description === undefined ? {} : { description }),
  })

export const Timestamp = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} (RFC 3339, UTC)` })
export const Id = (prefix: string, description: string) =>
  Type.String({ pattern: `^${prefix}_[\\w-]{1,160}$`, description })

/** Up to 50 pairs; the engine judges lengths. */
export const Metadata = Type.Record(Type.String(), Type.String(), {
  description: 'Up to 50 pairs of strings of your own',
})

export const Limit = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 100,
    default: 20,
    description: 'How many at most, 1 to 100',
  }),
)
export const After = Type.Optional(
  Type.String({ minLength: 1, maxLength: 400, description: 'The `next` of the page before' }),
)
export const listOf = <S extends TSchema>(item: S) =>
  object({
    data: Type.Array(ref(item)),
    has_more: Type.Boolean(),
    next: nullable(Type.String({ description: 'Cursor of the page behind this one' })),
  })

export const ProblemSchema = named(
  'Problem',
  object(
    {
      type: Type.String({ format: 'uri-reference', description: 'Link to the page of the code' }),
      title: Type.String(),
      status: Type.Integer(),
      code: Type.String({ description: 'One of docs/errors.md' }),
      detail: Type.String(),
      param: Type.Optional(Type.String({ description: 'The field that has to change' })),
      remedy: words(['caller', 'retry', 'human']),
      request_id: Type.String(),
      facts: Type.Optional(
        Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
      ),
    },
    { description: 'Why the answer is no (RFC 9457)' },
  ),
)

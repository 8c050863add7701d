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
/** Satoshi of an answer; presenters write them with `satoshi`. */
export const SatoshiOut = (description: string) => Satoshi(description)
/** Satoshi of an answer that may lie below zero, or be the sum of a long history. */
export const SatoshiSum = (description: string) => Type.Integer({ description })

/** The same, or null. */
export function nullable<S extends TSchema>(schema: S) {
  const { type, enum: list } = schema as { readonly type?: unknown; readonly enum?: unknown[] }
  const either =
    typeof type === 'string'
      ? { ...schema, type: [type, 'null'], ...(list ? { enum: [...list, null] } : {}) }
      : { anyOf: [schema, { type: 'null' }] }
  return Type.Unsafe<Static<S> | null>(either)
}

/** One of some words. */
export const words = <const W extends readonly string[]>(list: W, description?: string) =>
  Type.Unsafe<W[number]>({
    type: 'string',
    enum: [...list],
    ...(description === undefined ? {} : { description }),
  })

export const Timestamp = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} (RFC 3339, UTC)` })
/** A time that is asked for; `readTime` reads it. */
export const TimestampIn = (description: string) =>
  Type.String({
    format: 'date-time',
    minLength: 20,
    maxLength: 40,
    description: `${description} (RFC 3339)`,
  })
/** A text to search for: no database takes a NUL. */
export const Word = (most: number, description: string) =>
  Type.String({ minLength: 1, maxLength: most, pattern: '^[^\\u0000]*$', description })
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
/** `next` of the page before. @param pattern what such a cursor looks like */
export const after = (pattern: string) =>
  Type.Optional(
    Type.String({ pattern, maxLength: 400, description: 'the `next` of the page before' }),
  )
export const AFTER_NUMBER = '^(?:0|[1-9]\\d{0,14})$'

/** What a limit is when nobody says one. */
export const limitOf = ({ limit = 20 }: { readonly limit?: number }): number => limit

export const listOf = <S extends TSchema>(item: S) =>
  object({
    data: Type.Array(ref(item)),
    has_more: Type.Boolean(),
    next: nullable(
      Type.String({ description: '`after` of the page behind this one; null on the last page' }),
    ),
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

/** An answer that is no JSON. */
export const textOf = (type: string, description: string): TSchema =>
  ({ description, content: { [type]: { schema: { type: 'string' } } } }) as unknown as TSchema

/** An answer without a body. */
export const noContent = (description: string) => Type.Null({ description })

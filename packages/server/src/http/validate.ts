import { type Refusal, refuse } from '@kaccy/bitcoin/kernel'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import { RefusedError } from './problem.ts'

/** Formats are documentation for readers of the schema; what matters is checked by patterns and by the engine. */
const FORMATS = { 'date-time': true, uri: true, 'uri-reference': true, int64: true } as const

const ajv = new Ajv({
  // Nothing is dropped, turned into another kind or filled in: what was sent is what is judged.
  removeAdditional: false,
  coerceTypes: false,
  useDefaults: true,
  allErrors: false,
  // An error names the schema that it broke: what a field is for stands there, and answers more than its pattern.
  verbose: true,
  strict: true,
  allowUnionTypes: true,
  discriminator: false,
  formats: FORMATS,
  keywords: ['example', 'x-since'],
})

interface PartSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>
}

/** Compiles the schemas of requests. Texts of path and query become numbers and flags only where they are written as such. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) => {
  const check = ajv.compile(schema)
  if (httpPart === 'headers') return (data: unknown) => judge(check, data)
  // No body is a body without fields: what lacks is named, and where nothing is required nothing has to be sent.
  if (httpPart === 'body') return (data: unknown) => judge(check, data ?? {})
  return (data: unknown) => judge(check, readTexts(schema as PartSchema, data as Texts))
}

/** A route without fields takes an empty object at most. @throws RefusedError FIELD_UNKNOWN, FIELD_INVALID */
export function refuseBody(body: unknown): void {
  if (body === undefined) return
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const [param] = isObject ? Object.keys(body) : []
  if (isObject && param === undefined) return
  const { error } =
    param === undefined
      ? refuse('FIELD_INVALID', 'the body must be a JSON object')
      : refuse('FIELD_UNKNOWN', `${param} is not a field of this request`, { param })
  throw new RefusedError(error)
}

type Texts = Readonly<Record<string, string | readonly string[]>>
const WHOLE = /^(?:0|[1-9]\d{0,15})$/

function readTexts({ properties = {} }: PartSchema, texts: Texts): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined
      return [name, readAs(type, text)]
    }),
  )
}

function readAs(type: string | undefined, text: string | readonly string[]): unknown {
  if (type === 'array') return typeof text === 'string' ? [text] : text
  if (typeof text !== 'string') return text
  if (type === 'integer' && WHOLE.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

function judge(check: ValidateFunction, value: unknown): { value: unknown } | { error: Error } {
  if (check(value)) return { value }
  const error = check.errors?.[0]
  return { error: new RefusedError(refusalOf(error)) }
}

function refusalOf(error: ErrorObject | undefined): Refusal {
  if (!error) return refuse('FIELD_INVALID', 'the request cannot be used').error
  const at = pathOf(error.instancePath)
  const name = (member: string) => (at === '' ? member : `${at}.${member}`)
  const { keyword, params } = error
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const field = name(String(params['additionalProperty'] ?? params['unevaluatedProperty']))
    return refuse('FIELD_UNKNOWN', `${field} is not a field of this request`, { param: field })
      .error
  }
  if (keyword === 'required' || keyword === 'dependentRequired') {
    const field = name(String(params['missingProperty']))
    return refuse('FIELD_INVALID', `${field} is required`, { param: field }).error
  }
  const what = at === '' ? 'the request' : at
  return refuse('FIELD_INVALID', `${what} ${reasonOf(error)}`, at === '' ? {} : { param: at }).error
}

/** `/metadata/color` is `metadata.color` to the caller, `/event_types/0` is `event_types[0]`. */
const pathOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, step) => {
      if (/^\d+$/.test(step)) return `${path}[${step}]`
      return path === '' ? step : `${path}.${step}`
    }, '')

function reasonOf({
  keyword,
  params,
  message = 'cannot be used',
  schema,
  parentSchema,
}: ErrorObject): string {
  if (keyword === 'enum') {
    const words = (params['allowedValues'] as readonly string[]).join(', ')
    return `must be one of ${words}`
  }
  if (keyword === 'pattern') {
    const about = (parentSchema as { readonly description?: string } | undefined)?.description
    return about === undefined ? `does not match ${String(schema)}` : `cannot be used: ${about}`
  }
  return message
}

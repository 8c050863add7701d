import { type Media, type OpenApi, operationsOf, type Schema, schemaBehind } from './document.ts'

/** Values that a name or a form calls for; the rest is read off the schema. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  address: 'bcrt1qqv9pzxqlyckngw6zf9g9whn9d3eh4qvg0z9lm9',
  txid: '8f1c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccddeeff0',
  hash: '00000000000000000001a2b3c4d5e6f7089a1b2c3d4e5f60718293a4b5c6d7e8',
  url: 'https://shop.example/hooks',
  currency: 'EUR',
  event_types: 'order.*',
  name: 'shop',
  metadata: { color: 'red' },
}
const TIME = '2026-01-31T12:00:00.000Z'

/** Adds an example to every body and answer that has none: one that its own schema takes. */
export function addSamples(document: OpenApi): OpenApi {
  for (const { operation } of operationsOf(document)) {
    const bodies = operation.requestBody ? [operation.requestBody] : []
    const contents = [...bodies, ...Object.values(operation.responses)].map(
      ({ content }) => content,
    )
    for (const media of contents.flatMap((content) => Object.values(content ?? {})))
      addSample(document, media)
  }
  return document
}

function addSample(document: OpenApi, media: Media): void {
  if (media.schema && media.example === undefined)
    media.example = sampleOf(document, media.schema, '')
}

/** @param name of the field that holds it; empty at the top */
export function sampleOf(document: OpenApi, schema: Schema, name: string, depth = 0): unknown {
  const own = schemaBehind(document, schema)
  const told = [own.example, own.examples?.[0], own.const, own.default, own.enum?.[0]]
  const given = told.find((value) => value !== undefined)
  if (given !== undefined) return given
  const choice = (own.anyOf ?? own.oneOf)?.[0]
  if (choice) return sampleOf(document, choice, name, depth + 1)
  if (own.allOf) return Object.assign({}, ...own.allOf.map((one) => sampleOf(document, one, name)))
  const type = typeof own.type === 'string' ? own.type : own.type?.[0]
  if (type === 'object' || own.properties) return objectSample(document, own, depth)
  if (type === 'array')
    return own.items && depth < 6 ? [sampleOf(document, own.items, name, depth + 1)] : []
  if (type === 'integer' || type === 'number') return numberSample(own, name)
  if (type === 'boolean') return false
  if (type === 'null') return null
  return type === 'string' ? textSample(own, name) : {}
}

function objectSample(document: OpenApi, own: Schema, depth: number): Record<string, unknown> {
  const { properties = {}, required = [] } = own
  return Object.fromEntries(
    Object.entries(properties)
      // What is deep down is shown only where it must be there.
      .filter(([name]) => depth < 2 || required.includes(name))
      .map(([name, value]) => [
        name,
        name === 'metadata' ? BY_NAME[name] : sampleOf(document, value, name, depth + 1),
      ]),
  )
}

function numberSample({ minimum = 0, maximum = Infinity }: Schema, name: string): number {
  const wished = name.endsWith('_sat') ? 150_000 : name === 'height' ? 912_345 : minimum
  return Math.min(Math.max(wished, minimum), maximum)
}

function textSample({ format, pattern, minLength = 0, maxLength }: Schema, name: string): string {
  if (format === 'date-time') return TIME
  const [, prefix, kind] = /^\^([a-z]+_)(\[|\\d)/.exec(pattern ?? '') ?? []
  if (prefix !== undefined) return `${prefix}${kind === '[' ? '01j9z3' : '42'}`
  if (format === 'uri' || format === 'uri-reference') return 'https://shop.example/page'
  const text = String(BY_NAME[name] ?? (name === '' ? 'text' : name))
  return text.padEnd(minLength, 'x').slice(0, maxLength)
}

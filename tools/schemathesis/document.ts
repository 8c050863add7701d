import type { Ids } from './seed.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
type Members = { readonly [name: string]: Json }
const isMembers = (value: Json | undefined): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A text of the form of an id may be any such text, or one that exists: at random nobody would ever guess one. */
function withIds(value: Json, ids: Ids): Json {
  if (Array.isArray(value)) return value.map((one) => withIds(one, ids))
  if (!isMembers(value)) return value
  const { pattern } = value
  // The checkout page shows a page of its own for whatever is no order, so its address has no form.
  if (
    value['in'] === 'path' &&
    value['name'] === 'order' &&
    !JSON.stringify(value).includes('^ord')
  )
    return { ...value, schema: { type: 'string', anyOf: [{ enum: [...(ids['ord'] ?? [])] }, {}] } }
  const prefix = typeof pattern === 'string' ? /^\^([a-z]{3})_/.exec(pattern)?.[1] : undefined
  const known = prefix === undefined ? undefined : ids[prefix]
  if (value['type'] === 'string' && known && known.length > 0) {
    const { pattern: _, ...rest } = value
    return { ...rest, anyOf: [{ enum: [...known] }, { pattern: pattern ?? '' }] }
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withIds(one, ids)]))
}

/** The bodies that nobody makes up, as examples. */
function withExamples(document: Members, recovery: string): Members {
  const text = JSON.stringify(document)
  const changed = JSON.parse(text) as Record<string, never>
  const schema =
    changed['paths']?.['/v1/wallets/restore']?.['post']?.['requestBody']?.['content']?.[
      'application/json'
    ]?.['schema']
  if (schema) Object.assign(schema, { examples: [{ recovery }] })
  return changed
}

export interface Operation {
  readonly method: string
  readonly path: string
}
/** The document of the server with what this server has in the place of what a generator cannot guess. */
export function documentFor(text: string, ids: Ids, recovery: string): string {
  const document = JSON.parse(text) as Members
  return JSON.stringify(withExamples(withIds(document, ids) as Members, recovery))
}

export function operationsOf(text: string): readonly Operation[] {
  const { paths } = JSON.parse(text) as { readonly paths: Record<string, Record<string, unknown>> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  )
}

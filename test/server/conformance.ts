import { assert } from '@kaccy/bitcoin/kernel'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}
export interface Seen {
  readonly method: string
  /** With or without a query. */
  readonly path: string
  readonly status: number
  readonly type: string | null
  readonly text: string
}

/** Names in the place of pointers into the document, which is no schema as a whole. */
const byName = (schema: object): object =>
  JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', ''))

/** Holds answers against the OpenAPI document: every status stands in it, and every body has its form. */
export class Conformance {
  readonly #document: ApiDocument
  readonly #ajv: Ajv2020
  readonly #routes: readonly { readonly path: string; readonly form: RegExp }[]
  readonly #checks = new Map<string, ValidateFunction>()
  /** Operations whose answers were held against it: `GET /v1/orders 200`. */
  readonly seen = new Set<string>()

  constructor(document: ApiDocument) {
    this.#document = document
    this.#ajv = new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      validateSchema: false,
      formats: {
        'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
        uri: true,
        'uri-reference': true,
      },
      keywords: ['example'],
    })
    for (const [name, schema] of Object.entries(document.components.schemas))
      this.#ajv.addSchema(byName(schema), name)
    this.#routes = Object.keys(document.paths)
      .map((path) => ({ path, form: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`) }))
      // A fixed word is meant before a name that fits anything.
      .sort((a, b) => a.path.split('{').length - b.path.split('{').length)
  }

  /** @throws AssertionError that names what the document does not say */
  check({ method, path, status, type, text }: Seen): void {
    const [bare = ''] = path.split('?')
    // The document speaks of the API; HEAD and OPTIONS are answered for every route and stand in none.
    if (!bare.startsWith('/v1/') || method === 'HEAD' || method === 'OPTIONS') return
    const verb = method.toLowerCase()
    const route = this.#routes.find(
      (known) => known.form.test(bare) && this.#document.paths[known.path]?.[verb],
    )
    if (!route) {
      const known = [404, 405].includes(status)
      assert(known, `${method} ${bare} answers ${status} and stands in no document`)
      return
    }
    const what = `${method} ${route.path} ${status}`
    const response = this.#document.paths[route.path]?.[verb]?.responses[status]
    assert(response, `${what} is not documented: ${text.slice(0, 300)}`)
    this.seen.add(what)
    if (status === 204) {
      assert(text === '', `${what} has a body`)
      return
    }
    const media = (type ?? '').split(';')[0] ?? ''
    const content = response.content?.[media]
    assert(content, `${what} answers ${media}, which is not documented`)
    if (!media.endsWith('json')) return
    const check = this.#check(what, content.schema)
    assert(
      check(JSON.parse(text)),
      `${what}: ${JSON.stringify(check.errors)} in ${text.slice(0, 500)}`,
    )
  }
  #check(what: string, schema: object): ValidateFunction {
    const known = this.#checks.get(what)
    if (known) return known
    const made = this.#ajv.compile(byName(schema))
    this.#checks.set(what, made)
    return made
  }
}

import type { OpenApi, Operation, Schema } from '@kaccy/bitcoin-server/http'

/** Answered by every call, so none of them has to say it. */
const ALWAYS = ['400', '401', '403', '404', '413', '415', '429', '431', '500', '503']

/** The reference as a page: every call by its subject, then every object that they speak of. */
export function pageOf(document: OpenApi): string {
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const tags = [...new Set(calls.flatMap(({ operation }) => operation.tags ?? ['Other']))]
  const inTag = (tag: string) =>
    calls.filter(({ operation }) => (operation.tags?.[0] ?? 'Other') === tag)
  const objects = Object.entries(document.components?.schemas ?? {})
  return `${[
    '# API reference',
    'Written by `npm run api-reference` from the OpenAPI document; a test holds the page against it. What all calls have in common stands in [the HTTP API](guides/api.md), the codes in [errors](errors.md). A running server has the same with examples at `/docs`.',
    ...tags.flatMap((tag) => [
      `## ${tag}`,
      table(
        ['call', 'does'],
        inTag(tag).map(({ path, method, operation }) => [
          `[\`${method.toUpperCase()} ${path}\`](#${anchorOf(titleOf(operation))})`,
          operation.summary ?? '',
        ]),
      ),
      ...inTag(tag).flatMap(({ path, method, operation }) => callPart(path, method, operation)),
    ]),
    '## Objects',
    ...objects.flatMap(([name, schema]) => [
      `### ${name} object`,
      ...(schema.description === undefined ? [] : [schema.description]),
      schema.properties ? fieldTable(schema) : kindOf(schema),
    ]),
  ].join('\n\n')}\n`
}

const titleOf = ({ summary, operationId }: Operation): string => summary ?? operationId

function callPart(path: string, method: string, operation: Operation): string[] {
  const { description, parameters = [], requestBody, responses, security = [] } = operation
  const body = Object.values(requestBody?.content ?? {})[0]?.schema
  const good = Object.entries(responses).filter(([status]) => Number(status) < 400)
  const bad = Object.keys(responses).filter(
    (status) => Number(status) >= 400 && !ALWAYS.includes(status),
  )
  const answers = good.map(([status, { content = {} }]) => {
    const [kind, media] = Object.entries(content)[0] ?? []
    const what = media?.schema === undefined ? '' : ` ${wordsOf(media.schema)}`
    return `${status}${what}${kind === undefined || kind.includes('json') ? '' : ` as \`${kind}\``}`
  })
  const shown = parameters.filter(({ in: place }) => place !== 'path')
  return [
    `### ${titleOf(operation)}`,
    `\`${method.toUpperCase()} ${path}\`${security.length === 0 ? ', without a key' : ''}`,
    ...(description === undefined ? [] : [withLinks(description)]),
    ...(shown.length === 0
      ? []
      : [
          table(
            ['parameter', 'kind', 'what it is'],
            shown.map(({ name, schema, description: about }) => [
              name === 'idempotency-key' ? '`Idempotency-Key` (header)' : `\`${name}\``,
              kindOf(schema),
              about ?? schema.description ?? '',
            ]),
          ),
        ]),
    ...(body === undefined ? [] : [body.properties ? fieldTable(body) : `Body: ${kindOf(body)}`]),
    `Answers ${answers.join(', ')}.${bad.length === 0 ? '' : ` Problems also with ${bad.join(', ')}.`}`,
  ]
}

/** A code leads to its section, which has more to say than its title. */
const withLinks = (text: string): string =>
  text.replaceAll(
    /`([A-Z][A-Z_]+)` \([^)]*\)/g,
    (_, code: string) => `[\`${code}\`](errors.md#${code.toLowerCase()})`,
  )

/** In a sentence: a name, or the fields of what has none. */
const wordsOf = (schema: Schema): string =>
  schema.properties ? `\`{ ${Object.keys(schema.properties).join(', ')} }\`` : kindOf(schema)

const nameOf = (ref: string): string => ref.split('/').at(-1) ?? ref
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

function kindOf(schema: Schema): string {
  const { $ref, anyOf, enum: words, items, type, format } = schema
  if ($ref !== undefined) return `[${nameOf($ref)}](#${anchorOf(`${nameOf($ref)} object`)})`
  if (anyOf) return [...new Set(anyOf.map(kindOf))].join(' or ')
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (words) return words.map((word) => `\`${word}\``).join(' ')
  if (type === 'array') return `list of ${kindOf(items ?? {})}`
  const name = [type ?? 'any'].flat().join(' or ')
  return `${name}${format === undefined ? '' : ` (${format})`}${rangeOf(schema)}`
}

function rangeOf({ minimum, maximum, maxLength }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`
  if (minimum !== undefined) return `, from ${minimum}`
  return maxLength === undefined ? '' : `, up to ${maxLength} characters`
}

/** Fields of an object, those of objects inside it after it: `confirmations.confirmed`. */
const rowsOf = ({ properties = {}, required = [] }: Schema, prefix = ''): string[][] =>
  Object.entries(properties).flatMap(([name, field]) => {
    const inner = [field, ...(field.anyOf ?? []), field.items ?? {}].filter(
      (one) => one.properties !== undefined,
    )
    const isOptional = prefix === '' && !required.includes(name)
    return [
      [
        `\`${prefix}${name}\``,
        `${kindOf(field)}${isOptional ? ', optional' : ''}`,
        field.description ?? '',
      ],
      ...inner.flatMap((one) => rowsOf(one, `${prefix}${name}.`)),
    ]
  })

const fieldTable = (schema: Schema): string =>
  table(['field', 'kind', 'what it is'], rowsOf(schema))

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('\n', ' ').replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

import { html, type Markup } from '../../pay/markup.ts'
import {
  type Media,
  type OpenApi,
  type Operation,
  operationsOf,
  type PlacedOperation,
  type Schema,
  schemaBehind,
} from './document.ts'
import { fieldsOf, fieldTable, kindOf } from './fields.ts'
import { pageOf } from './page.ts'
import { proseOf } from './text.ts'

/** The whole reference as one page: it is read, searched and printed without a script. */
export function referencePage(document: OpenApi): string {
  const { info } = document
  const operations = operationsOf(document)
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags ?? []))]
  const inTag = (tag: string) => operations.filter(({ operation }) => operation.tags?.[0] === tag)
  const schemas = Object.entries(document.components?.schemas ?? {})
  return pageOf(
    `${info.title} API ${info.version}`,
    html`<a class="skip" href="#content">To the content</a>
<nav aria-label="Operations">
<p><strong>${info.title}</strong> ${info.version}</p>
<p><a href="/openapi.json">OpenAPI document</a><br><a href="/docs/errors">Errors</a></p>
${tags.map((tag) => html`<h2>${tag}</h2><ul>${inTag(tag).map(({ operation: { operationId, summary = '' } }) => html`<li><a href="#${operationId}">${summary}</a></li>`)}</ul>`)}
<h2>Objects</h2><ul>${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}</ul>
</nav>
<main id="content">
<h1>${info.title} API</h1>
${proseOf(info.description ?? '')}
${tags.map((tag) => html`<section><h2>${tag}</h2>${inTag(tag).map((one) => operationPart(document, one))}</section>`)}
<section><h2>Objects</h2>${schemas.map(([name, schema]) => schemaPart(name, schema))}</section>
</main>`,
  )
}

const schemaPart = (name: string, schema: Schema): Markup => html`<article id="schema-${name}">
<h3>${name}</h3>
${proseOf(schema.description ?? '')}
${schema.properties ? fieldTable(fieldsOf(schema)) : html`<p>${kindOf(schema)}</p>`}
</article>
`

function operationPart(document: OpenApi, { path, method, operation }: PlacedOperation): Markup {
  const { operationId, summary = '', description = '', parameters = [], requestBody } = operation
  const body = Object.values(requestBody?.content ?? {})[0]
  return html`<article id="${operationId}">
<h3>${summary}</h3>
<p class="call"><strong>${method.toUpperCase()}</strong> <code>${path}</code></p>
${proseOf(description)}
${parameters.length > 0 && html`<h4>Parameters</h4>${fieldTable(parameters.map(({ name, schema, required = false, description: about }) => ({ name, schema, isRequired: required, ...(about === undefined ? {} : { about }) })))}`}
${body?.schema && html`<h4>Body</h4>${fieldTable(fieldsOf(schemaBehind(document, body.schema)))}`}
<h4>Example</h4>
<pre tabindex="0"><code>${curlOf(document, path, method, operation, body)}</code></pre>
${answersOf(operation)}
</article>
`
}

function answersOf({ responses }: Operation): readonly Markup[] {
  const all = Object.entries(responses)
  const good = all.filter(([status]) => Number(status) < 400)
  const bad = all.filter(([status]) => Number(status) >= 400).map(([status]) => status)
  return [
    ...good.map(([status, { content = {} }]) => {
      const media = Object.values(content)[0]
      return html`<h4>Answer ${status}</h4>${media?.schema && html`<p>${kindOf(media.schema)}</p>`}${media?.example !== undefined && html`<pre tabindex="0"><code>${JSON.stringify(media.example, null, 2)}</code></pre>`}`
    }),
    html`<p>Problems: ${bad.join(', ')} (<a href="#schema-Problem">Problem</a>)</p>`,
  ]
}

function curlOf(
  document: OpenApi,
  path: string,
  method: string,
  { security = [] }: Operation,
  body: Media | undefined,
): string {
  const base = document.servers?.[0]?.url ?? 'http://127.0.0.1:8080'
  const url = `${base}${path.replace(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`)}`
  const lines = [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} "${url}"`,
    ...(security.length > 0 ? ['-H "Authorization: Bearer $KACCY_API_KEY"'] : []),
    ...(body
      ? ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body.example ?? {})}'`]
      : []),
  ]
  return lines.join(' \\\n  ')
}

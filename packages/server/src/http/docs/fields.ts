import { html, type Markup } from '../../pay/markup.ts'
import { nameOfRef, type Schema } from './document.ts'
import { proseOf } from './text.ts'

/** What a value is, in a few words, with a link where it has a name. */
export function kindOf(schema: Schema): Markup {
  if (schema.$ref !== undefined) {
    const name = nameOfRef(schema.$ref)
    return html`<a href="#schema-${name}">${name}</a>`
  }
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return html`${choices.map((one, i) => html`${i > 0 && ' or '}${kindOf(one)}`)}`
  if (schema.enum)
    return html`${schema.enum.map((one, i) => html`${i > 0 && ', '}<code>${String(one)}</code>`)}`
  if (schema.type === 'array') return html`list of ${kindOf(schema.items ?? {})}`
  const type = [schema.type ?? 'any'].flat().join(' or ')
  return html`${type}${schema.format !== undefined && ` (${schema.format})`}${rangeOf(schema)}`
}

function rangeOf({ minimum, maximum, maxLength }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`
  if (minimum !== undefined) return `, from ${minimum}`
  return maxLength === undefined ? '' : `, up to ${maxLength} characters`
}

interface Field {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
  readonly about?: string
}

export const fieldTable = (fields: readonly Field[]): Markup => html`<div class="scroll"><table>
<thead><tr><th>Name</th><th>Kind</th><th>What it is</th></tr></thead>
<tbody>${fields.map(fieldRow)}</tbody></table></div>`

const fieldRow = ({ name, schema, isRequired, about }: Field): Markup => html`<tr>
<td><code>${name}</code>${isRequired && html` <span class="must">required</span>`}</td>
<td>${kindOf(schema)}</td>
<td>${proseOf(about ?? schema.description ?? '')}${schema.default !== undefined && html`<p>Default: <code>${JSON.stringify(schema.default)}</code></p>`}</td>
</tr>
`

/** Fields of an object, those of objects inside it after it: `confirmations.confirmed`. */
export function fieldsOf(schema: Schema, prefix = ''): readonly Field[] {
  const { properties = {}, required = [] } = schema
  return Object.entries(properties).flatMap(([name, value]) => {
    const path = `${prefix}${name}`
    const inner = [value, ...(value.anyOf ?? []), value.items ?? {}].filter(
      (one) => one.properties !== undefined,
    )
    return [
      { name: path, schema: value, isRequired: required.includes(name) },
      ...inner.flatMap((one) => fieldsOf(one, `${path}.`)),
    ]
  })
}

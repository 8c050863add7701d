import { AssertionError } from '../../kernel/index.ts'
import { JsonNumber, type JsonValue } from './value.ts'

/** What can be written: everything that can be read, and the integers of JavaScript. `undefined` members are left out. */
export type JsonWritable =
  | JsonValue
  | bigint
  | number
  | readonly JsonWritable[]
  | { readonly [name: string]: JsonWritable | undefined }

/**
 * Compact JSON text. A `JsonNumber` and a bigint are written digit by digit; a number must be a safe integer, so that no
 * amount can leave through a double.
 * @throws AssertionError for a fraction, an unsafe integer or a lone surrogate.
 */
export function formatJson(value: JsonWritable): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return formatString(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new AssertionError('not a safe integer')
    return String(value)
  }
  if (value instanceof JsonNumber) return value.text
  if (isList(value)) return `[${value.map(formatJson).join(',')}]`
  const members: string[] = []
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${formatString(name)}:${formatJson(member)}`)
  }
  return `{${members.join(',')}}`
}

const isList = (value: object): value is readonly JsonWritable[] => Array.isArray(value)

function formatString(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new AssertionError('a lone surrogate is no text')
  return JSON.stringify(text)
}

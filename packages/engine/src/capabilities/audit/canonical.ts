import { AssertionError, type Json } from '../../kernel/index.ts'

/**
 * One text for one value: names sorted by UTF-16 unit, no spaces, numbers as ECMAScript prints them.
 * Source: RFC 8785 (JSON Canonicalization Scheme). @throws AssertionError for a number that JSON does not have.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new AssertionError(`not a JSON number: ${value}`)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

import { Secret } from '../../kernel/index.ts'

/**
 * A deep copy of a row: plain objects, arrays, bytes and primitives. What goes into the store and what
 * comes out is copied, so that nobody shares an object with it. Keys whose value is undefined are dropped,
 * as a database would.
 */
export function copy<T>(value: T): T {
  return copyUnknown(value) as T
}

function copyUnknown(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  // It cannot be changed, and its value is nobody's to look at.
  if (value instanceof Secret) return value
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) return value.map(copyUnknown)
  const result: Record<string, unknown> = {}
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue
    if (key === '__proto__') {
      Object.defineProperty(result, key, {
        value: copyUnknown(part),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    } else result[key] = copyUnknown(part)
  }
  return result
}

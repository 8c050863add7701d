/** A place in an index: compared part by part. */
export type SortKey = readonly (string | number)[]

/** Text as a database with binary collation orders it: by code point (UTF-8 bytes), not by UTF-16 unit. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    const leftAstral = left >= 0xd800 && left < 0xe000
    const rightAstral = right >= 0xd800 && right < 0xe000
    if (leftAstral !== rightAstral) return leftAstral ? 1 : -1
    return left - right
  }
  return a.length - b.length
}

/** A shorter key stands before every longer one that begins with it. */
export function compareKeys(a: SortKey, b: SortKey): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a[i]
    const right = b[i]
    if (left === right) continue
    if (typeof left === 'number' && typeof right === 'number') return left - right
    return compareText(String(left), String(right))
  }
  return a.length - b.length
}

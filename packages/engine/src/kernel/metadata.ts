/** Line breaks and tabs are text; what no database and no terminal takes kindly is not. */
const CONTROL = /(?![\t\n\r])\p{Cc}|\p{Cs}/u
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u
const PAIRS = 50

/** At most `most` characters that can be stored and shown. */
export const isText = (text: string, most: number): boolean =>
  text.length <= most && !CONTROL.test(text)

/** One line of 1 to `most` characters (code points) that a table and a log line can hold. */
export const isPrintable = (text: string, most: number): boolean =>
  text.length >= 1 &&
  text.length <= 2 * most &&
  Array.from(text).length <= most &&
  !UNPRINTABLE.test(text)

/** Why a caller's pairs cannot be kept; undefined when they can: up to 50, names of 1 to 40 and values of up to 500 characters. */
export function metadataFault(metadata: Readonly<Record<string, string>>): string | undefined {
  const pairs = Object.entries(metadata)
  if (pairs.length > PAIRS) return `metadata has more than ${PAIRS} pairs`
  const bad = pairs.some(
    ([key, value]) =>
      key.length < 1 || !isText(key, 40) || typeof value !== 'string' || !isText(value, 500),
  )
  return bad ? 'metadata has a key or a value that is too long or no string' : undefined
}

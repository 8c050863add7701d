import { WORD_LISTS } from '@kaccy/bitcoin/protocol/keys/mnemonic'

/** What stands where a secret stood. */
export const REDACTED = '[secret]'

/** Names whose values are secret, whatever they look like. Compared in lower case without separators. */
const SECRET_NAMES =
  /(?:password|passwd|passphrase|secret|mnemonic|seed|macaroon|preimage|authorization|cookie|apikey|token|privatekey|xprv|wif|slip39|signingkey|credential)s?$/
/** Names that end like secrets and hold none. */
const PLAIN_NAMES = /(?:^|_)(?:path|file|hash|hint|name|id)$/i

const normal = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
/** Names that were judged before. Nearly all stand in our own code; those of strangers must not fill the memory. */
const judged = new Map<string, boolean>()
const MOST_JUDGED = 1_000

export function isSecretName(name: string): boolean {
  const known = judged.get(name)
  if (known !== undefined) return known
  const isSecret = !PLAIN_NAMES.test(name) && SECRET_NAMES.test(normal(name))
  if (judged.size < MOST_JUDGED && name.length <= 48) judged.set(name, isSecret)
  return isSecret
}

/** Texts that are secrets by their form, and what is left of each. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  // Extended private keys (BIP 32, SLIP 132): Base58 with a known beginning.
  [/\b[a-zA-Z]prv[1-9A-HJ-NP-Za-km-z]{50,}/g, REDACTED],
  // Private keys in WIF: 51 or 52 Base58 characters of main (5 K L) or test networks (9 c).
  [
    /\b(?:5[1-9A-HJ-NP-Za-km-z]{50}|[KLc][1-9A-HJ-NP-Za-km-z]{51}|9[1-9A-HJ-NP-Za-km-z]{50})\b/g,
    REDACTED,
  ],
  [/\b(Basic|Bearer|token)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/\bkc_(dev|test|live)_[\w-]{8,}/g, `kc_$1_${REDACTED}`],
  [/\bwhsec_[\w+/=-]{8,}/g, `whsec_${REDACTED}`],
  // User and password inside an address. It begins at `://`: looking for the scheme first takes the square of a long text.
  [/(:\/\/[^\s:/@]*):[^\s@/]+@/g, `$1:${REDACTED}@`],
  [
    /(password|passwd|pwd|passphrase|secret|macaroon|preimage)(["']?\s*[=:]\s*["']?)[^\s"',;&]+/gi,
    `$1$2${REDACTED}`,
  ],
  // Macaroons (LND): base64 and hex of their fixed beginning.
  [/\bAgEDbG5k[\w+/=-]*/g, REDACTED],
  [/\b0201036c6e64[0-9a-f]*/gi, REDACTED],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
]
/** Public keys of wallets are no secrets, and still tell all addresses: their ends are enough to know them by. */
const EXTENDED_PUBLIC =
  /\b([a-zA-Z]pub[1-9A-HJ-NP-Za-km-z]{8})[1-9A-HJ-NP-Za-km-z]{80,}([1-9A-HJ-NP-Za-km-z]{4})\b/g

const WORDS: ReadonlySet<string> = new Set([...WORD_LISTS.values()].flat())
/** The shortest mnemonic of BIP 39, less one that a broken copy may lack. */
const LEAST_WORDS = 11
/** Marks belong to words: the lists of BIP 39 are decomposed (NFKD). Each word is begun once, so a long one takes no square. */
const RUN = /(?<![\p{L}\p{M}])[\p{L}\p{M}]+(?:[\s\p{P}\d]+[\p{L}\p{M}]+){10,}/gu
const BETWEEN = /([\s\p{P}\d]+)/u
/** SLIP 39 shares have 20 words or more of four to eight letters; sixteen such words in a row are no sentence. */
const SHARE = /\b[a-z]{4,8}(?: [a-z]{4,8}){15,}\b/g

/**
 * Short texts of characters that no form can do without more of: every form needs white space, a sign that is not among these,
 * more characters (the shortest mnemonic has 43: eleven words of three letters and what stands between), or one of `MARKS`. Nearly all that a log line holds is of this kind, and is told apart by two looks instead
 * of fourteen.
 */
const SHORT = /^[\w./:-]{0,42}$/
const MARKS = /kc_|whsec_|AgEDbG5k|0201036c6e64|passw|pwd|passphrase|secret|macaroon|preimage/i

/** A text without anything secret in it. */
export function redactText(text: string): string {
  if (SHORT.test(text) && !MARKS.test(text)) return text
  let result = text
  for (const [form, left] of FORMS) result = result.replace(form, left)
  result = result.replace(EXTENDED_PUBLIC, '$1…$2')
  return result.replace(RUN, redactRun).replace(SHARE, REDACTED)
}

/** Puts the mark where enough words of one of the lists of BIP 39 follow each other. */
function redactRun(run: string): string {
  const parts = run.split(BETWEEN)
  const isWord = (at: number) => WORDS.has((parts[at] ?? '').normalize('NFKD').toLowerCase())
  const kept: string[] = []
  for (let at = 0; at < parts.length; ) {
    let end = at
    while (end < parts.length && isWord(end)) end += 2
    const words = (end - at) / 2
    if (words >= LEAST_WORDS) kept.push(REDACTED, parts[end - 1] ?? '')
    else kept.push(...parts.slice(at, Math.max(end, at + 2)))
    at = Math.max(end, at + 2)
  }
  return kept.join('')
}

const DEPTH = 8

/** A value to be logged, without anything secret in it: by the names of members, and by the form of texts. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH) return '[deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (ArrayBuffer.isView(value)) return '[bytes]'
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return redact(value.toJSON(), depth + 1)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      redactText(name),
      isSecretName(name) && member !== null && member !== undefined
        ? REDACTED
        : redact(member, depth + 1),
    ]),
  )
}

const redactError = (error: Error, depth: number): unknown => ({
  name: error.name,
  message: redactText(error.message),
  ...('code' in error ? { code: redact(error.code, depth + 1) } : {}),
  ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
  ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
})

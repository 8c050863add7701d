import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { JsonNumber, type JsonValue, numberEnd } from './value.ts'

export type JsonRefusal = Refusal<'JSON_INVALID'>

/** Deepest nesting of arrays and objects that is read; Bitcoin Core's own reader stops at the same depth. */
export const MAX_JSON_DEPTH = 512

/**
 * Reads one JSON text (RFC 8259) strictly and without loss.
 *
 * Bytes must be well-formed UTF-8 without a byte order mark; lone surrogates, written or escaped, are refused. An object
 * that has a name twice is refused: two readers would take two different values from it. Numbers keep their digits.
 * The refusal's details say where (`at`, in UTF-16 units of the text; 0 for malformed bytes) and never quote the text.
 */
export function parseJson(
  input: string | Uint8Array,
  maxDepth: number = MAX_JSON_DEPTH,
): Result<JsonValue, JsonRefusal> {
  const text = typeof input === 'string' ? input : decodeUtf8(input)
  if (text === undefined) return invalid('is not UTF-8', 0)
  if (typeof input === 'string' && LONE_SURROGATE.test(text))
    return invalid('has a lone surrogate', 0)
  const reader = new Reader(text, maxDepth)
  const value = reader.document()
  return value === undefined ? invalid(reader.fault, reader.at) : ok(value)
}

const invalid = (reason: string, at: number): Result<never, JsonRefusal> =>
  refuse('JSON_INVALID', `the JSON text ${reason}`, { details: { at } })

const LONE_SURROGATE = /\p{Surrogate}/u

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The engine copies slices shorter than this; a longer one keeps the whole text it was cut from in memory. */
const COPIED = 13

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** One pass over one text. Every method answers undefined on a fault and leaves `fault` and `at` to say which. */
class Reader {
  readonly #text: string
  #room: number
  at = 0
  fault = ''

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#room = maxDepth
  }

  document(): JsonValue | undefined {
    const value = this.#value()
    if (value === undefined) return undefined
    this.#skipSpace()
    return this.at === this.#text.length ? value : this.#no('goes on after its value')
  }

  #no(fault: string): undefined {
    this.fault = fault
    return undefined
  }

  /** Skips white space and answers the next code unit, or -1 at the end. */
  #skipSpace(): number {
    const text = this.#text
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code
      this.at++
    }
    return -1
  }

  #value(): JsonValue | undefined {
    switch (this.#skipSpace()) {
      case QUOTE:
        return this.#string()
      case OPEN_ARRAY:
        return this.#array()
      case OPEN_OBJECT:
        return this.#object()
      case 0x74:
        return this.#word('true', true)
      case 0x66:
        return this.#word('false', false)
      case 0x6e:
        return this.#word('null', null)
      case -1:
        return this.#no('ends too early')
      default:
        return this.#number()
    }
  }

  #word<T extends boolean | null>(word: string, value: T): T | undefined {
    if (!this.#text.startsWith(word, this.at)) return this.#no('has an unknown word')
    this.at += word.length
    return value
  }

  #number(): JsonNumber | undefined {
    const end = numberEnd(this.#text, this.at)
    if (end < 0) return this.#no('has something that is no value')
    const digits = this.#text.slice(this.at, end)
    this.at = end
    return new JsonNumber(digits.length < COPIED ? digits : ` ${digits}`.slice(1))
  }

  /**
   * The end is searched natively and the engine's own parser reads the token: as fast as a whole-text parse, and the
   * result is a string of its own, not a slice that would keep a whole answer of the node in memory.
   */
  #string(): string | undefined {
    const text = this.#text
    const start = this.at
    const short = plainEnd(text, start + 1)
    if (short > 0) {
      this.at = short + 1
      return text.slice(start + 1, short)
    }
    let end = start
    do {
      end = text.indexOf('"', end + 1)
      if (end < 0) return this.#no('has a string without an end')
    } while (isEscaped(text, end))
    const value = unquote(text.slice(start, end + 1))
    if (value === undefined) return this.#no('has a forbidden character or escape in a string')
    // Only an escape makes the value shorter than its token, and only an escape can smuggle half a pair in.
    if (value.length !== end - start - 1 && LONE_SURROGATE.test(value)) {
      return this.#no('has a lone surrogate')
    }
    this.at = end + 1
    return value
  }

  #array(): JsonValue[] | undefined {
    if (this.#room === 0) return this.#no('is nested too deeply')
    this.#room--
    this.at++
    const items: JsonValue[] = []
    if (this.#skipSpace() === CLOSE_ARRAY) this.at++
    else {
      for (;;) {
        const item = this.#value()
        if (item === undefined) return undefined
        items.push(item)
        const next = this.#skipSpace()
        if (next !== COMMA && next !== CLOSE_ARRAY) return this.#no('has an array without an end')
        this.at++
        if (next === CLOSE_ARRAY) break
      }
    }
    this.#room++
    return items
  }

  #object(): { [name: string]: JsonValue } | undefined {
    if (this.#room === 0) return this.#no('is nested too deeply')
    this.#room--
    this.at++
    const members: { [name: string]: JsonValue } = Object.create(null)
    if (this.#skipSpace() === CLOSE_OBJECT) this.at++
    else {
      for (;;) {
        if (!this.#member(members)) return undefined
        const next = this.#skipSpace()
        if (next !== COMMA && next !== CLOSE_OBJECT) return this.#no('has an object without an end')
        this.at++
        if (next === CLOSE_OBJECT) break
      }
    }
    this.#room++
    return members
  }

  #member(members: { [name: string]: JsonValue }): true | undefined {
    if (this.#skipSpace() !== QUOTE) return this.#no('has an object member without a name')
    const name = this.#string()
    if (name === undefined) return undefined
    if (name in members) return this.#no('has a name twice in one object')
    if (this.#skipSpace() !== COLON) return this.#no('has a name without a colon')
    this.at++
    const value = this.#value()
    if (value === undefined) return undefined
    members[name] = value
    return true
  }
}

/** The end of a short string without escapes and other special cases; -1 sends it the long way. */
function plainEnd(text: string, start: number): number {
  const limit = Math.min(text.length, start + COPIED)
  for (let at = start; at < limit; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code < 0x20 || code === BACKSLASH) return -1
  }
  return -1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function unquote(token: string): string | undefined {
  try {
    return JSON.parse(token) as string
  } catch {
    return undefined
  }
}

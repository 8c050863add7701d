/**
 * Reads JSON as Core reads it: no deeper than 512 levels, the first of two equal names counts, `__proto__` is a name like any
 * other, and text that is no UTF-8 is no JSON.
 */

import { JsonNumber } from './json.ts'

const MAX_DEPTH = 512
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** The text is no JSON. Answered with -32700 and nothing more, as Core does. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault'
}
class Reader {
  readonly #text: string
  #at = 0
  #depth = 0
  #keepsNumbers = false

  constructor(text: string) {
    this.#text = text
  }
  whole(): unknown {
    const value = this.#value()
    this.#space()
    if (this.#at !== this.#text.length) throw new JsonFault('text after the value')
    return value
  }
  #space(): void {
    while (true) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at += 1
    }
  }
  #takes(sign: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
  #value(): unknown {
    this.#space()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object())
      case '[':
        return this.#nested(() => this.#array())
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }
  #nested<T>(read: () => T): T {
    this.#at += 1
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new JsonFault('too deep')
    const value = read()
    this.#depth -= 1
    return value
  }
  #array(): unknown[] {
    const items: unknown[] = []
    if (this.#takes(']')) return items
    do items.push(this.#value())
    while (this.#takes(','))
    if (!this.#takes(']')) throw new JsonFault('an array without end')
    return items
  }
  #object(): Record<string, unknown> {
    const members: Record<string, unknown> = {}
    if (this.#takes('}')) return members
    do {
      this.#space()
      const name = this.#string()
      if (!this.#takes(':')) throw new JsonFault('a name without value')
      const value = this.#member(name)
      // By definition, not assignment: `__proto__` must not become the prototype.
      const own = { value, enumerable: true, writable: true, configurable: true }
      if (!Object.hasOwn(members, name)) Object.defineProperty(members, name, own)
    } while (this.#takes(','))
    if (!this.#takes('}')) throw new JsonFault('an object without end')
    return members
  }
  /** The id of a request stands at the first or, in a batch, the second level. */
  #member(name: string): unknown {
    if (name !== 'id' || this.#depth > 2 || this.#keepsNumbers) return this.#value()
    this.#keepsNumbers = true
    const value = this.#value()
    this.#keepsNumbers = false
    return value
  }
  #string(): string {
    if (this.#text[this.#at] !== '"') throw new JsonFault('no string')
    this.#at += 1
    let value = this.#plain()
    while (this.#text[this.#at] === '\\') {
      value += this.#escape()
      value += this.#plain()
    }
    if (this.#text[this.#at] !== '"') throw new JsonFault('a string without end')
    this.#at += 1
    if (!value.isWellFormed()) throw new JsonFault('half a surrogate pair')
    return value
  }
  /** Up to the next quote, backslash or control character. */
  #plain(): string {
    const text = this.#text
    const start = this.#at
    let at = start
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === 0x22 || code === 0x5c || code < 0x20) break
    }
    this.#at = at
    return text.slice(start, at)
  }
  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? ''
    this.#at += 2
    if (letter !== 'u') {
      const sign = ESCAPES[letter]
      if (sign === undefined) throw new JsonFault('an unknown escape')
      return sign
    }
    const digits = this.#text.slice(this.#at, this.#at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new JsonFault('a bad escape')
    this.#at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }
  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new JsonFault('an unknown word')
    this.#at += word.length
    return value
  }
  #number(): number | JsonNumber {
    const text = this.#match(NUMBER)
    if (text === '') throw new JsonFault('no value')
    return this.#keepsNumbers ? new JsonNumber(text) : Number(text)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** @throws JsonFault when the bytes are not exactly one JSON value. */
export function readJson(body: Uint8Array | string): unknown {
  return new Reader(typeof body === 'string' ? body : decode(body)).whole()
}
function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body)
  } catch {
    throw new JsonFault('not UTF-8')
  }
}

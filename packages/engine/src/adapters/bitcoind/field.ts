import {
  type BlockHash,
  isHash,
  MAX_SAT,
  type Sat,
  type SatPerKvB,
  type Txid,
  tryFromHex,
  type Wtxid,
} from '../../kernel/index.ts'
import {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  JsonNumber,
  type JsonObject,
  type JsonValue,
  jsonDouble,
  jsonInteger,
} from '../../protocol/json/index.ts'
import { exactSat } from './decimal.ts'
import { answerInvalid } from './envelope.ts'

/**
 * A place in an answer of the node. Every reader either hands out a value of the right kind or throws
 * NODE_ANSWER_INVALID naming method and field; the value itself is never quoted.
 */
export class Field {
  readonly #parent: Field | string
  readonly #key: string | number
  readonly value: JsonValue | undefined

  constructor(parent: Field | string, value: JsonValue | undefined, key: string | number = '') {
    this.#parent = parent
    this.#key = key
    this.value = value
  }

  /** @throws NODE_ANSWER_INVALID always. */
  no(reason: string): never {
    throw answerInvalid(this.method(), this.path() || 'result', reason)
  }
  method(): string {
    return typeof this.#parent === 'string' ? this.#parent : this.#parent.method()
  }
  /** `tx[0].vout[1].value`; written only when something is wrong. */
  path(): string {
    if (typeof this.#parent === 'string') return ''
    const before = this.#parent.path()
    if (typeof this.#key === 'number') return `${before}[${this.#key}]`
    const name = this.#key.slice(0, 80).replace(/[^\w-]/g, '?')
    return before === '' ? name : `${before}.${name}`
  }

  object(): JsonObject {
    return isJsonObject(this.value) ? this.value : this.no('is not an object')
  }
  array(): JsonArray {
    return isJsonArray(this.value) ? this.value : this.no('is not a list')
  }
  get(name: string): Field {
    return new Field(this, this.object()[name], name)
  }
  /** Undefined when the member is missing or null: a node that does not have it. */
  maybe(name: string): Field | undefined {
    const value = this.object()[name]
    return value === undefined || value === null ? undefined : new Field(this, value, name)
  }
  list<T>(read: (item: Field) => T): readonly T[] {
    return this.array().map((item, index) => read(new Field(this, item, index)))
  }
  /** A list of transaction ids: a mempool has a hundred thousand, so no place is made for each. */
  txids(): readonly Txid[] {
    return this.array().map((item, index) =>
      isHash(item) ? (item as Txid) : new Field(this, item, index).txid(),
    )
  }
  /** The members of an object whose names are data; `keyAsTxid` and `key` read the name. */
  entries<T>(read: (item: Field) => T): readonly T[] {
    return Object.entries(this.object()).map(([key, item]) => read(new Field(this, item, key)))
  }
  key(): string {
    return String(this.#key)
  }
  keyAsTxid(): Txid {
    return isHash(this.#key) ? (this.#key as Txid) : this.no('has a name that is no hash')
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.no('is not a text')
  }
  flag(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.no('is not true or false')
  }
  integer(): number {
    return jsonInteger(this.value) ?? this.no('is not an integer')
  }
  /** An integer from 0. */
  count(): number {
    const value = this.integer()
    return value >= 0 ? value : this.no('is negative')
  }
  /** The nearest double: difficulties and rates of other things than money. */
  double(): number {
    return jsonDouble(this.value) ?? this.no('is not a number')
  }
  bytes(): Uint8Array {
    return tryFromHex(this.text()) ?? this.no('is not hex')
  }
  hash(): string {
    return isHash(this.value) ? this.value : this.no('is not a hash of 64 lower-case hex digits')
  }
  txid(): Txid {
    return this.hash() as Txid
  }
  wtxid(): Wtxid {
    return this.hash() as Wtxid
  }
  blockHash(): BlockHash {
    return this.hash() as BlockHash
  }

  /** An amount in BTC, read digit by digit; may be negative where Core writes movements. Satoshis. */
  signedSat(): bigint {
    const value = this.value instanceof JsonNumber ? exactSat(this.value.text) : undefined
    if (value === undefined) return this.no('is not an amount of BTC with at most 8 places')
    return value <= MAX_SAT && value >= -MAX_SAT ? value : this.no('is above 21 million BTC')
  }
  sat(): Sat {
    const value = this.signedSat()
    return value >= 0n ? (value as Sat) : this.no('is a negative amount')
  }
  /** A whole number of satoshis (`getblockstats`). */
  wholeSat(): Sat {
    const value = BigInt(this.count())
    return value <= MAX_SAT ? (value as Sat) : this.no('is above 21 million BTC')
  }
  /** A fee rate in BTC per 1000 vbytes, as satoshis per 1000 vbytes. */
  rate(): SatPerKvB {
    const value = this.signedSat()
    return value >= 0n ? (value as SatPerKvB) : this.no('is a negative fee rate')
  }
  oneOf<T extends string>(known: readonly T[]): T {
    const text = this.text()
    return known.find((item) => item === text) ?? this.no('has an unknown value')
  }
}

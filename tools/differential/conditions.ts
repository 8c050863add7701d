import { createHash } from 'node:crypto'
import type { Random } from '../simulate/random.ts'
import { number, OP, push, pushNumber, script } from './opcodes.ts'
import { type Context, KEYS, type Key } from './sign.ts'
import { hash160, hash256, sha256 } from './wire.ts'

/** What the spending transaction must say for a path to be open. */
export interface Needs {
  readonly version?: number
  readonly sequence?: number
  readonly locktime?: number
}
/** A signature by `key`; `code` replaces the script that is signed, after OP_CODESEPARATOR. */
export type Signer = (key: Key, code?: Uint8Array) => Uint8Array
export interface Path {
  readonly needs: Needs
  /** Stack items, the top one last. */
  satisfy(sign: Signer): readonly Uint8Array[]
}
/** A script and the ways to satisfy it. */
export interface Condition {
  readonly name: string
  readonly script: Uint8Array
  readonly paths: readonly Path[]
}
/** The moment for which time locks are made: some are open, some not yet. */
export interface Moment {
  readonly height: number
  readonly medianTime: number
  /** Bare scripts never end within a push: btcd does not keep such coins, which nobody can spend anyway. */
  readonly wholeScripts?: boolean
}
export interface Making {
  readonly random: Random
  readonly context: Context
  readonly moment: Moment
}

export const anyKey = (random: Random): Key => KEYS[random.next() % KEYS.length] as Key
const EMPTY = new Uint8Array()
const plain = (satisfy: Path['satisfy']): readonly Path[] => [{ needs: {}, satisfy }]

export function keyBytes({ random, context }: Making, key: Key): Uint8Array {
  if (context === 'tapscript') return key.xOnly
  // Segwit keys must be compressed to relay; blocks may hold others.
  return random.chance(context === 'legacy' ? 25 : 3) ? key.full : key.compressed
}

function single(making: Making): Condition {
  const key = anyKey(making.random)
  return {
    name: 'pk',
    script: script(push(keyBytes(making, key)), OP.CHECKSIG),
    paths: plain((sign) => [sign(key)]),
  }
}
function keyHash(making: Making): Condition {
  const key = anyKey(making.random)
  const bytes = keyBytes(making, key)
  return {
    name: 'pkh',
    script: script(OP.DUP, OP.HASH160, push(hash160(bytes)), OP.EQUALVERIFY, OP.CHECKSIG),
    paths: plain((sign) => [sign(key), bytes]),
  }
}

/** `k` of `n` by OP_CHECKMULTISIG. */
export function multisig(making: Making, most = 4): Condition {
  const { random } = making
  const n = random.between(1, most)
  const k = random.between(1, n)
  const keys = Array.from({ length: n }, () => anyKey(random))
  const chosen = choose(random, n, k)
  return {
    name: `multi(${k},${n})`,
    script: script(
      pushNumber(k),
      ...keys.map((key) => push(keyBytes(making, key))),
      pushNumber(n),
      OP.CHECKMULTISIG,
    ),
    paths: plain((sign) => [EMPTY, ...chosen.map((i) => sign(keys[i] as Key))]),
  }
}
function choose(random: Random, n: number, k: number): readonly number[] {
  const left = Array.from({ length: n }, (_, i) => i)
  while (left.length > k) left.splice(random.between(0, left.length - 1), 1)
  return left
}
/** `k` of `n` by OP_CHECKSIGADD. */
function multisigAdd({ random }: Making): Condition {
  const n = random.between(1, 5)
  const k = random.between(1, n)
  const keys = Array.from({ length: n }, () => anyKey(random))
  const chosen = new Set(choose(random, n, k))
  const checks = keys.map((key, i) =>
    script(push(key.xOnly), i === 0 ? OP.CHECKSIG : OP.CHECKSIGADD),
  )
  return {
    name: `multi_a(${k},${n})`,
    script: script(...checks, pushNumber(k), OP.NUMEQUAL),
    paths: plain((sign) => keys.map((key, i) => (chosen.has(i) ? sign(key) : EMPTY)).reverse()),
  }
}

const HASHES = ['RIPEMD160', 'SHA1', 'SHA256', 'HASH160', 'HASH256'] as const
function digestOf(name: (typeof HASHES)[number], bytes: Uint8Array): Uint8Array {
  if (name === 'SHA256') return sha256(bytes)
  if (name === 'HASH160') return hash160(bytes)
  if (name === 'HASH256') return hash256(bytes)
  return new Uint8Array(createHash(name.toLowerCase()).update(bytes).digest())
}
function hashLock(making: Making, inner: Condition): Condition {
  const name = making.random.pick(HASHES) ?? 'SHA256'
  const preimage = sha256(number(making.random.next())).subarray(0, making.random.between(0, 32))
  const lock = script(OP[name], push(digestOf(name, preimage)), OP.EQUALVERIFY)
  return {
    name: `${name.toLowerCase()}(${inner.name})`,
    script: script(lock, inner.script),
    paths: inner.paths.map((path) => ({
      needs: path.needs,
      satisfy: (sign) => [...path.satisfy(sign), preimage],
    })),
  }
}
function locked(inner: Condition, value: number, opcode: number, needs: Needs): Condition {
  return {
    name: `${opcode === OP.CLTV ? 'cltv' : 'csv'}(${inner.name})`,
    script: script(pushNumber(value), opcode, OP.DROP, inner.script),
    paths: inner.paths.map((path) => ({ ...path, needs: { ...path.needs, ...needs } })),
  }
}
function absolute({ random, moment }: Making, inner: Condition): Condition {
  const value = random.chance(60)
    ? Math.max(0, moment.height + random.between(-30, 4))
    : moment.medianTime + random.between(-3000, 200)
  return locked(inner, value, OP.CLTV, { locktime: value })
}
function relative({ random }: Making, inner: Condition): Condition {
  const value = random.chance(60) ? random.between(0, 10) : (1 << 22) | random.between(0, 3)
  return locked(inner, value, OP.CSV, { sequence: value, version: 2 })
}
function branches({ random, context }: Making, one: Condition, two: Condition): Condition {
  const not = random.chance(30)
  // Consensus takes any true value outside tapscript; policy wants exactly one (MINIMALIF).
  const yes = context !== 'tapscript' && random.chance(4) ? Uint8Array.of(2) : Uint8Array.of(1)
  const choice = (first: boolean) => (first !== not ? yes : EMPTY)
  const through = (condition: Condition, first: boolean): Path[] =>
    condition.paths.map((path) => ({
      needs: path.needs,
      satisfy: (sign) => [...path.satisfy(sign), choice(first)],
    }))
  return {
    name: `if(${one.name},${two.name})`,
    script: script(not ? OP.NOTIF : OP.IF, one.script, OP.ELSE, two.script, OP.ENDIF),
    paths: [...through(one, true), ...through(two, false)],
  }
}
/** A signature before, and one that covers only what follows OP_CODESEPARATOR. */
function separated(making: Making, inner: Condition): Condition {
  const key = anyKey(making.random)
  const first = script(push(keyBytes(making, key)), OP.CHECKSIGVERIFY)
  return {
    name: `separated(${inner.name})`,
    script: script(first, OP.CODESEPARATOR, inner.script),
    paths: inner.paths.map((path) => ({
      needs: path.needs,
      satisfy: (sign) => [...path.satisfy((other) => sign(other, inner.script)), sign(key)],
    })),
  }
}

function nested(making: Making, depth: number): Condition {
  const { random, context } = making
  const inner = () => nested(making, depth + 1)
  const deeper = depth < 3 ? 1 : 0
  switch (
    random.weighted({
      pk: 4,
      pkh: 2,
      multi: 3,
      hash: 2 * deeper,
      absolute: 2 * deeper,
      relative: 2 * deeper,
      branches: 3 * deeper,
    })
  ) {
    case 'pk':
      return single(making)
    case 'pkh':
      return keyHash(making)
    case 'multi':
      return context === 'tapscript' ? multisigAdd(making) : multisig(making)
    case 'hash':
      return hashLock(making, inner())
    case 'absolute':
      return absolute(making, inner())
    case 'relative':
      return relative(making, inner())
    case 'branches':
      return branches(making, inner(), inner())
  }
}
/** A random condition: keys, hashes, locks and branches, one in another. */
export function condition(making: Making): Condition {
  const inner = nested(making, 0)
  const separate = making.context !== 'tapscript' && making.random.chance(8)
  return separate ? separated(making, inner) : inner
}

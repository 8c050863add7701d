import type { Random } from '../simulate/random.ts'
import {
  type Condition,
  condition,
  type Making,
  type Moment,
  multisig,
  type Needs,
} from './conditions.ts'
import { anyKey, keyBytes } from './conditions.ts'
import { OP, push, script } from './opcodes.ts'
import { anyBytes, program } from './programs.ts'
import { type Context, ecdsa, type Key, legacyDigest, type Place, segwitDigest } from './sign.ts'
import { taprootLock } from './taproot.ts'
import { concat, hash160, sha256 } from './wire.ts'

export interface Unlocking {
  readonly script: Uint8Array
  readonly witness: readonly Uint8Array[]
}
export interface LockPath {
  readonly needs: Needs
  unlock(place: Place, random: Random): Unlocking
}
/** An output script and the ways to spend it; none where nobody can. */
export interface Lock {
  readonly kind: string
  readonly script: Uint8Array
  readonly paths: readonly LockPath[]
}

const EMPTY = new Uint8Array()
const TYPES = [1, 1, 1, 1, 1, 1, 2, 3, 0x81, 0x82, 0x83]
/** Hash types that blocks may hold and nobody relays. */
const ODD_TYPES = [0, 4, 0x50, 0x80, 0xff]

function signer(place: Place, random: Random, context: Context, code: Uint8Array) {
  return (key: Key, other = code): Uint8Array => {
    const type = (random.chance(2) ? random.pick(ODD_TYPES) : random.pick(TYPES)) ?? 1
    const digest =
      context === 'legacy' ? legacyDigest(place, other, type) : segwitDigest(place, other, type)
    return ecdsa(digest, key, type, random.chance(1))
  }
}
const pushes = (items: readonly Uint8Array[]): Uint8Array => concat(...items.map(push))

function bare(kind: string, { script, paths }: Condition): Lock {
  return {
    kind,
    script,
    paths: paths.map(({ needs, satisfy }) => ({
      needs,
      unlock: (place, random) => ({
        script: pushes(satisfy(signer(place, random, 'legacy', script))),
        witness: [],
      }),
    })),
  }
}
function scriptHash(inner: Condition): Lock {
  const redeem = inner.script
  return {
    kind: `p2sh ${inner.name}`,
    script: script(OP.HASH160, push(hash160(redeem)), OP.EQUAL),
    paths: inner.paths.map(({ needs, satisfy }) => ({
      needs,
      unlock: (place, random) => ({
        script: pushes([...satisfy(signer(place, random, 'legacy', redeem)), redeem]),
        witness: [],
      }),
    })),
  }
}
function witnessKeyHash(random: Random): Lock {
  const key = anyKey(random)
  const hash = hash160(key.compressed)
  const code = script(OP.DUP, OP.HASH160, push(hash), OP.EQUALVERIFY, OP.CHECKSIG)
  return {
    kind: 'p2wpkh',
    script: script(0, push(hash)),
    paths: [
      {
        needs: {},
        unlock: (place, dice) => ({
          script: EMPTY,
          witness: [signer(place, dice, 'v0', code)(key), key.compressed],
        }),
      },
    ],
  }
}
function witnessScriptHash(inner: Condition): Lock {
  return {
    kind: `p2wsh ${inner.name}`,
    script: script(0, push(sha256(inner.script))),
    paths: inner.paths.map(({ needs, satisfy }) => ({
      needs,
      unlock: (place, random) => ({
        script: EMPTY,
        witness: [...satisfy(signer(place, random, 'v0', inner.script)), inner.script],
      }),
    })),
  }
}
/** A witness program behind a script hash. */
function wrapped(inner: Lock): Lock {
  return {
    kind: `p2sh-${inner.kind}`,
    script: script(OP.HASH160, push(hash160(inner.script)), OP.EQUAL),
    paths: inner.paths.map(({ needs, unlock }) => ({
      needs,
      unlock: (place, random) => ({ ...unlock(place, random), script: push(inner.script) }),
    })),
  }
}
const open = (kind: string, bytes: Uint8Array, unlocking: Unlocking): Lock => ({
  kind,
  script: bytes,
  paths: [{ needs: {}, unlock: () => unlocking }],
})
const closed = (kind: string, bytes: Uint8Array): Lock => ({ kind, script: bytes, paths: [] })

function future(random: Random): Lock {
  const version = random.between(1, 16)
  const size = version === 1 ? (random.pick([2, 20, 31, 33, 40]) ?? 20) : random.between(2, 40)
  const bytes = concat(anyBytes(random, size), new Uint8Array(40)).subarray(0, size)
  const witness = random.chance(50) ? [anyBytes(random, 30)] : []
  const bare = script(0x50 + version, concat([size], bytes))
  const lock = open(`witness v${version}`, bare, { script: EMPTY, witness })
  return random.chance(20) ? wrapped(lock) : lock
}
function data(random: Random): Lock {
  const bytes = anyBytes(random, random.chance(90) ? 80 : 120)
  return closed('data', script(OP.RETURN, random.chance(95) ? push(bytes) : bytes))
}
function weird(making: Making): Lock {
  const { random } = making
  switch (random.weighted({ empty: 2, program: 8, condition: 6, many: 2, short: 1, long: 1 })) {
    case 'empty':
      return open('empty', EMPTY, { script: Uint8Array.of(OP.ONE), witness: [] })
    case 'program':
      return bare('program', program(random, 24, making.moment.wholeScripts))
    case 'condition': {
      const inner = condition(making)
      return bare(`bare ${inner.name}`, inner)
    }
    case 'many':
      return bare('bare many', multisig(making, 20))
    case 'short':
      return closed('v0 of no size', script(0, push(concat([7], anyBytes(random, 30)))))
    case 'long':
      return closed('too long', concat([OP.ONE], new Uint8Array(10_000).fill(OP.NOP)))
  }
}

/** What relays: the kinds that wallets use, and everything behind a hash. */
function standard(making: Making): Lock {
  const { random, moment } = making
  const legacy: Making = { ...making, context: 'legacy' }
  const v0: Making = { ...making, context: 'v0' }
  const key = anyKey(random)
  switch (
    random.weighted({ wpkh: 5, pkh: 3, pk: 2, multi: 2, sh: 6, wsh: 7, nested: 4, tr: 12, p2a: 1 })
  ) {
    case 'wpkh':
      return witnessKeyHash(random)
    case 'pkh': {
      const bytes = keyBytes(legacy, key)
      const code = script(OP.DUP, OP.HASH160, push(hash160(bytes)), OP.EQUALVERIFY, OP.CHECKSIG)
      const satisfy: Condition['paths'][number]['satisfy'] = (sign) => [sign(key), bytes]
      return bare('p2pkh', { name: 'pkh', script: code, paths: [{ needs: {}, satisfy }] })
    }
    case 'pk': {
      const code = script(push(keyBytes(legacy, key)), OP.CHECKSIG)
      const paths = [{ needs: {}, satisfy: (sign: (key: Key) => Uint8Array) => [sign(key)] }]
      return bare('p2pk', { name: 'pk', script: code, paths })
    }
    case 'multi':
      return bare('multisig', multisig(legacy, 3))
    case 'sh':
      return scriptHash(random.chance(20) ? program(random, 12) : condition(legacy))
    case 'wsh':
      return witnessScriptHash(random.chance(20) ? program(random) : condition(v0))
    case 'nested':
      return wrapped(random.chance(50) ? witnessKeyHash(random) : witnessScriptHash(condition(v0)))
    case 'tr':
      return taprootLock(random, moment)
    case 'p2a':
      return open('p2a', Uint8Array.of(0x51, 2, 0x4e, 0x73), { script: EMPTY, witness: [] })
  }
}
/** A random lock; `strict` leaves out what no node relays as an output. */
export function anyLock(random: Random, moment: Moment, strict: boolean): Lock {
  const making: Making = { random, moment, context: 'legacy' }
  if (strict || random.chance(60)) return standard(making)
  switch (random.weighted({ future: 2, data: 2, weird: 5 })) {
    case 'future':
      return future(random)
    case 'data':
      return data(random)
    case 'weird':
      return weird(making)
  }
}
export const simpleLock = (random: Random): Lock => witnessKeyHash(random)
export const dataLock = (random: Random): Lock => data(random)

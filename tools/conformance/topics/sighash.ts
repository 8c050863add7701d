import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { hash160 } from '@kaccy/bitcoin/protocol/script'
import { SignatureHasher, verifyEcdsa as verifyOurs } from '@kaccy/bitcoin/protocol/sighash'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  txidOf,
  weightOf,
} from '@kaccy/bitcoin/protocol/transaction'
import { isStrictSignature, signatureHasher, verifyEcdsa, verifyInput } from '@kaccy/devnet/script'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { assemble } from '../asm.ts'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'

export const topic = 'sighash'

interface Bip143Row {
  readonly name: string
  readonly unsigned_tx: string
  readonly prevouts: readonly { readonly scriptPubKey: string; readonly value_btc: string }[]
  readonly redeem_scripts: readonly string[]
  readonly witness_scripts: readonly string[]
  readonly sighash_preimages: readonly string[]
  readonly sighashes: readonly string[]
  readonly signatures: readonly string[]
  readonly signed_tx: string
}
const SATOSHI = 100_000_000n
/** `1.5625` bitcoins in satoshi. */
function satoshi(text: string): bigint {
  const [whole = '0', part = ''] = text.split('.')
  return BigInt(whole) * SATOSHI + BigInt(part.padEnd(8, '0').slice(0, 8))
}
interface Spent {
  readonly value: bigint
  readonly script: Uint8Array
}
/** The script that stands for P2WPKH in its digest. */
const keyScript = (program: Uint8Array): Uint8Array =>
  Uint8Array.of(0x76, 0xa9, 20, ...program.subarray(2), 0x88, 0xac)
/** Every script that a signature of the row may commit to: code separators cut witness scripts anywhere. */
function scriptCodes(row: Bip143Row, spent: readonly Spent[]): readonly Uint8Array[] {
  const scripts = row.witness_scripts.map(fromHex)
  const programs = [...row.redeem_scripts.map(fromHex), ...spent.map(({ script }) => script)]
  const tails = [...scripts, ...row.redeem_scripts.map(fromHex)].flatMap((script) =>
    [...script.keys()].filter((at) => script[at] === 0xab).map((at) => script.subarray(at + 1)),
  )
  const keys = programs.filter(({ length, 0: first }) => length === 22 && first === 0)
  return [...scripts, ...row.redeem_scripts.map(fromHex), ...tails, ...keys.map(keyScript)]
}
const HASH_TYPES = [1, 2, 3, 0x81, 0x82, 0x83]
function digests(row: Bip143Row, raw: Uint8Array, spent: readonly Spent[]): ReadonlySet<string> {
  const hasher = signatureHasher(raw, spent)
  const ours = new SignatureHasher(must(decodeTransaction(raw)))
  const codes = scriptCodes(row, spent)
  const found = new Set<string>()
  for (const [input, { value }] of spent.entries()) {
    for (const code of codes) {
      for (const type of HASH_TYPES) {
        const hash = toHex(hasher.segwit(input, code, value, type))
        const own = toHex(ours.segwit(input, code, value, type))
        if (own !== hash) throw new TypeError(`the engine says ${own}, the devnet ${hash}`)
        found.add(hash)
      }
    }
  }
  return found
}
/** Keys that stand in the scripts, and those that a signature shows and a P2WPKH program names. */
function keysOf(row: Bip143Row, digest: Uint8Array, compact: Uint8Array): readonly Uint8Array[] {
  const scripts = [...row.prevouts.map((prevout) => prevout.scriptPubKey), ...row.witness_scripts]
  const named = [...scripts, ...row.redeem_scripts]
  const standing = scripts.flatMap((hex) => hex.match(/(?<=21)0[23][0-9a-f]{64}/g) ?? [])
  const shown = [0, 1, 2, 3].flatMap((id) => {
    try {
      const signature = Uint8Array.of(id, ...compact)
      const key = secp256k1.recoverPublicKey(signature, digest, { prehash: false })
      return named.some((hex) => hex.endsWith(toHex(hash160(key)))) ? [key] : []
    } catch {
      // Not every number has a key.
      return []
    }
  })
  return [...standing.map(fromHex), ...shown]
}
function isSigned(row: Bip143Row, hash: string): boolean {
  const digest = fromHex(hash)
  return row.signatures.map(fromHex).some((signature) => {
    if (!isStrictSignature(signature)) return false
    const der = signature.subarray(0, -1)
    const compact = secp256k1.Signature.fromBytes(der, 'der').toBytes('compact')
    return keysOf(row, digest, compact).some(
      (key) => verifyEcdsa(der, digest, key) && verifyOurs(signature, digest, key),
    )
  })
}
const SECOND = 'belongs to a second transaction of its section, whose bytes the file does not keep'
/** Devnet and engine find the digest, and one of the signatures signs it. */
function checkDigest(row: Bip143Row, hash: string): Verdict {
  const raw = fromHex(row.unsigned_tx)
  const inputs = must(decodeTransaction(raw)).inputs.length
  const coins = row.prevouts.map(({ scriptPubKey, value_btc }) => ({
    script: fromHex(scriptPubKey),
    value: satoshi(value_btc),
  }))
  const spent = coins.slice(0, inputs)
  for (const preimage of row.sighash_preimages) {
    const known = toHex(sha256(sha256(fromHex(preimage))))
    if (!row.sighashes.includes(known)) return `${known} is the hash of a preimage, not listed`
  }
  if (!digests(row, raw, spent).has(hash)) {
    return coins.length > inputs ? { skip: SECOND } : 'the digest was not found'
  }
  if (!isSigned(row, hash)) return 'no signature signs it'
  return row.signed_tx === row.unsigned_tx ? undefined : checkSpends(row.signed_tx, spent)
}
function checkSpends(signed: string, spent: readonly Spent[]): Verdict {
  const transaction = fromHex(signed)
  for (const input of spent.keys()) {
    const verdict = verifyInput({ transaction, input, spent })
    if (!verdict.ok) return `input ${input}: ${verdict.error}: ${verdict.message}`
  }
  return undefined
}
const bip143 = jsonShape<readonly Bip143Row[]>(
  (data) => isTable(data, 'unsigned_tx', 'prevouts', 'signed_tx'),
  function* (rows): Generator<Case> {
    for (const [i, row] of rows.entries()) {
      for (const [k, hash] of row.sighashes.entries()) {
        yield [`${i} ${row.name}, digest ${k}`, () => checkDigest(row, hash)]
      }
    }
  },
)

interface TransactionRow {
  readonly id: string
  readonly hash: string
  readonly hex: string
  /** With witness; empty or absent where there is none. */
  readonly whex?: string
  readonly virtualSize: number
  readonly weight: number
  readonly coinbase: boolean
}
const isCoinbase = ({ inputs }: Transaction): boolean =>
  inputs.length === 1 && /^0{64}$/.test(inputs[0]?.txid ?? '')
function checkTransaction(row: TransactionRow): Verdict {
  const hex = row.whex || row.hex
  const transaction = must(decodeTransaction(fromHex(hex)))
  const stripped = encodeTransaction(transaction, 'without-witness')
  const weight = weightOf(transaction)
  return differs({
    bytes: [toHex(encodeTransaction(transaction)), hex],
    'bytes without witness': [toHex(stripped), row.hex],
    id: [txidOf(transaction), row.id],
    hash: [row.id.replace(/../g, '$& ').trim().split(' ').reverse().join(''), row.hash],
    weight: [weight, row.weight],
    virtualSize: [Math.ceil(weight / 4), row.virtualSize],
    coinbase: [isCoinbase(transaction), row.coinbase],
  })
}
interface HashRow {
  readonly txHex: string
  readonly inIndex: number
  readonly script: string
  readonly type: number
  readonly hash: string
  readonly value?: number
}
const NO_INPUT =
  'names an input that is not there: Core and the devnet refuse that, bitcoinjs signs a constant'
function legacy(row: HashRow): Verdict {
  const raw = fromHex(row.txHex)
  if (row.inIndex >= must(decodeTransaction(raw)).inputs.length) return { skip: NO_INPUT }
  const script = assemble(row.script)
  const engine = new SignatureHasher(must(decodeTransaction(raw)))
  return differs({
    devnet: [toHex(signatureHasher(raw).legacy(row.inIndex, script, row.type)), row.hash],
    engine: [toHex(engine.legacy(row.inIndex, script, row.type)), row.hash],
  })
}
function segwit(row: HashRow): Verdict {
  const raw = fromHex(row.txHex)
  const script = assemble(row.script)
  const value = BigInt(row.value ?? 0)
  const engine = new SignatureHasher(must(decodeTransaction(raw)))
  return differs({
    devnet: [toHex(signatureHasher(raw).segwit(row.inIndex, script, value, row.type)), row.hash],
    engine: [toHex(engine.segwit(row.inIndex, script, value, row.type)), row.hash],
  })
}
const transactions = jsonShape<object>(
  (data) => isRecord(data, 'hashForSignature', 'hashForWitnessV0'),
  (data) =>
    sections(
      data,
      { valid: checkTransaction, hashForSignature: legacy, hashForWitnessV0: segwit },
      ['note', 'format', 'invalid'],
    ),
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [bip143, transactions])

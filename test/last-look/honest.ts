import { type Descriptor, parseDescriptor, scriptAt } from '@kaccy/bitcoin/protocol/descriptor'
import type { LookCoin, LookExpectation } from '@kaccy/bitcoin/protocol/last-look'
import { decodeTransaction, encodeTransaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { fromHex, type Sat, sat, satPerKvB, toHex, type Txid } from '@kaccy/bitcoin/kernel'
import { HDKey } from '@scure/bip32'
import * as btc from '@scure/btc-signer'

/**
 * Transactions as an honest engine and its signers make them, with the expectation that belongs to them. Built and signed by
 * @scure/btc-signer, so that the last look is held against somebody else's code.
 */
export const KINDS = [
  'pkh',
  'wpkh',
  'sh(wpkh)',
  'tr',
  'wsh(sortedmulti)',
  'sh(wsh(sortedmulti))',
] as const
export type Kind = (typeof KINDS)[number]

export interface Honest {
  readonly kind: Kind
  readonly bytes: Uint8Array
  readonly expectation: LookExpectation
}
export interface Shape {
  readonly kind: Kind
  readonly coins: number
  readonly payments: number
  readonly hasChange: boolean
  /** 0 to 255; makes amounts and keys differ. */
  readonly salt: number
}

const VERSIONS = { public: 0x043587cf, private: 0x04358394 }
const accounts = [1, 2, 3].map((byte) =>
  HDKey.fromMasterSeed(new Uint8Array(32).fill(byte), VERSIONS).derive("m/84'/1'/0'"),
)
const account = (n: number): HDKey => accounts[n] as HDKey

const wrap = (kind: Kind, keys: readonly string[]): string => {
  const inner = kind.includes('sortedmulti') ? `2,${keys.join(',')}` : `${keys[0]}`
  const open = kind.replaceAll(')', '')
  return `${open}(${inner}${')'.repeat(open.split('(').length)}`
}

const parsed = new Map<Kind, Descriptor>()
export function descriptorOf(kind: Kind): Descriptor {
  const descriptor = parsed.get(kind)
  if (descriptor) return descriptor
  const count = kind.includes('sortedmulti') ? 3 : 1
  const keys = Array.from({ length: count }, (_, n) => `${account(n).publicExtendedKey}/<0;1>/*`)
  const result = parseDescriptor(wrap(kind, keys))
  if (!result.ok) throw new TypeError(result.error.message)
  parsed.set(kind, result.value)
  return result.value
}

const byBytes = (a: Uint8Array, b: Uint8Array): number => (toHex(a) < toHex(b) ? -1 : 1)
const known = new Map<string, HDKey>()
function keyAt(n: number, branch: number, index: number): HDKey {
  const place = `${n}/${branch}/${index}`
  const key = known.get(place) ?? account(n).deriveChild(branch).deriveChild(index)
  known.set(place, key)
  return key
}

/** What btc-signer needs to know to sign a coin of this kind. */
function spendable(kind: Kind, branch: number, index: number) {
  const keys = [0, 1, 2].map((n) => keyAt(n, branch, index).publicKey as Uint8Array)
  const [first = new Uint8Array()] = keys
  const multisig = () => btc.p2wsh(btc.p2ms(2, [...keys].sort(byBytes)))
  switch (kind) {
    case 'pkh':
      return btc.p2pkh(first)
    case 'wpkh':
      return btc.p2wpkh(first)
    case 'sh(wpkh)':
      return btc.p2sh(btc.p2wpkh(first))
    case 'tr':
      return btc.p2tr(first.subarray(1))
    case 'wsh(sortedmulti)':
      return multisig()
    case 'sh(wsh(sortedmulti))':
      return btc.p2sh(multisig())
  }
}

/** A transaction that pays `amount` to the script, so that legacy inputs can show where their coin comes from. */
function funding(script: Uint8Array, amount: Sat, salt: number): { id: Txid; bytes: Uint8Array } {
  const input = { txid: 'ab'.repeat(32) as Txid, vout: salt, script: new Uint8Array(), sequence: 0 }
  const transaction = {
    version: 2,
    lockTime: salt,
    inputs: [{ ...input, witness: [] }],
    outputs: [{ amount, script }],
  }
  return { id: txidOf(transaction), bytes: encodeTransaction(transaction) }
}

export const payee = (salt: number): Uint8Array =>
  fromHex(
    salt % 3 === 0
      ? `5120${'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'}`
      : salt % 3 === 1
        ? `0014${salt.toString(16).padStart(2, '0').repeat(20)}`
        : `76a914${salt.toString(16).padStart(2, '0').repeat(20)}88ac`,
  )

function coinsOf({ kind, coins, salt }: Shape) {
  const descriptor = descriptorOf(kind)
  return Array.from({ length: coins }, (_, i) => {
    const [branch, index] = [i % 2, salt + 3 * i]
    const amount = sat(1_000_000n + BigInt(salt * 1000 + i))
    const script = scriptAt(descriptor, branch, index)
    const { id, bytes } = funding(script, amount, salt + i)
    const coin: LookCoin = {
      txid: id,
      vout: 0,
      amount,
      script,
      branch,
      index,
      sequence: 0xfffffffd,
    }
    return { coin, previous: bytes }
  })
}

/** The id of the transaction before anyone signed. */
export const unsignedTxidOf = (bytes: Uint8Array): Txid => {
  const decoded = decodeTransaction(bytes)
  if (!decoded.ok) throw new TypeError(decoded.error.message)
  const inputs = decoded.value.inputs.map((input) => ({ ...input, script: new Uint8Array() }))
  return txidOf({ ...decoded.value, inputs })
}

/** A transaction before anyone signed it. */
export interface Plan {
  version: number
  lockTime: number
  inputs: { readonly coin: LookCoin; readonly previous: Uint8Array; sequence: number }[]
  outputs: { script: Uint8Array; amount: bigint }[]
}

/** Signs whatever the plan says with the wallet's keys, as a signer that looks at nothing. */
export function signed(kind: Kind, plan: Plan, sighash?: number): Uint8Array {
  const { version, lockTime } = plan
  const tx = new btc.Transaction({ version, lockTime, allowUnknownOutputs: true })
  for (const { coin, previous, sequence } of plan.inputs) {
    const { script: _, ...data } = spendable(kind, coin.branch, coin.index)
    const { txid, vout: index, amount, script } = coin
    const from = kind === 'pkh' ? { nonWitnessUtxo: previous } : { witnessUtxo: { script, amount } }
    const type = sighash === undefined ? {} : { sighashType: sighash }
    tx.addInput({ ...data, txid, index, sequence, ...from, ...type })
  }
  for (const output of plan.outputs) tx.addOutput(output)
  const signers = kind.includes('sortedmulti') ? [0, 2] : [0]
  for (const [i, { coin }] of plan.inputs.entries()) {
    const allowed = sighash === undefined ? undefined : [sighash]
    for (const n of signers) {
      tx.signIdx(keyAt(n, coin.branch, coin.index).privateKey as Uint8Array, i, allowed)
    }
  }
  tx.finalize()
  return tx.extract()
}

const LIMITS = {
  maxFee: sat(100_000n),
  maxFeePpm: 100_000,
  maxRate: satPerKvB(200_000n),
  minRate: satPerKvB(1000n),
  dustRate: satPerKvB(3000n),
  maxWeight: 400_000,
}

/**
 * Builds, signs and finalises. `corrupt` changes the plan before it is signed, and says nothing to the engine: the expectation is the
 * honest one, but for the id, which is that of the corrupt transaction, as if builder and approvals had been deceived as well.
 */
export function honest(shape: Shape, corrupt: (plan: Plan) => void = () => {}): Honest {
  const { kind, salt } = shape
  const funded = coinsOf(shape)
  const coins = funded.map(({ coin }) => coin)
  const total = coins.reduce((sum, { amount }) => sum + amount, 0n)
  const fee = 3000n * BigInt(shape.coins + shape.payments)
  const each = (total - fee - (shape.hasChange ? 50_000n : 0n)) / BigInt(shape.payments)
  const payments = Array.from({ length: shape.payments }, (_, i) => {
    const amount = sat(i === 0 ? each - 7n : each)
    return { id: `wdr_${i}`, script: payee(salt + i), amount }
  })
  const rest = total - fee - payments.reduce((sum, { amount }) => sum + amount, 0n)
  const index = salt + 1
  const change = shape.hasChange ? [{ index, amount: sat(rest) }] : []
  const plan: Plan = {
    version: 2,
    lockTime: 150,
    inputs: funded.map((input) => ({ ...input, sequence: input.coin.sequence })),
    outputs: [
      ...payments.map(({ script, amount }) => ({ script, amount })),
      ...change.map(({ amount }) => ({ script: scriptAt(descriptorOf(kind), 1, index), amount })),
    ],
  }
  corrupt(plan)
  const bytes = signed(kind, plan)
  const [anchor] = coins
  if (!anchor) throw new TypeError('a shape without coins')
  const unsignedTxid = unsignedTxidOf(bytes)
  const frame = { version: 2, lockTime: 150, tip: { height: 200, medianTime: 1_700_000_000 } }
  const ours = { descriptor: descriptorOf(kind), coins, anchor, change, changeEnd: index + 1 }
  const expectation = { ...frame, ...ours, payments, unsignedTxid, limits: LIMITS }
  return { kind, bytes, expectation }
}

import { parseDescriptor, printDescriptor, scriptAt } from '@kaccy/bitcoin/protocol/descriptor'
import { doubleSha256, encodeTransaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import type { PolicyReceipt } from '@kaccy/bitcoin/signing'
import { fromHex, sat, toHex, type Txid, txid, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import * as btc from '@scure/btc-signer'

export const MNEMONICS = [
  'trim thing monkey alarm unlock seminar smile bag later file misery rent',
  'pudding nephew balance feature menu never sniff actress dance chuckle increase load',
  'donkey candy tree frequent hurry heavy oppose use wreck oxygen shiver pelican',
] as const
export const KINDS = [
  'pkh',
  'wpkh',
  'sh(wpkh)',
  'tr',
  'wsh(sortedmulti)',
  'sh(wsh(sortedmulti))',
] as const
export type Kind = (typeof KINDS)[number]

const VERSIONS = { public: 0x043587cf, private: 0x04358394 }
const PATH = [84, 1, 0].map((step) => step + 0x8000_0000)
const masters = MNEMONICS.map((words) => HDKey.fromMasterSeed(mnemonicToSeedSync(words), VERSIONS))
const accounts = masters.map((master) => master.derive("m/84'/1'/0'"))
export const fingerprints = masters.map(({ fingerprint }) =>
  fingerprint.toString(16).padStart(8, '0'),
)

const isMultisig = (kind: Kind): boolean => kind.includes('sortedmulti')
const holders = (kind: Kind): readonly number[] => (isMultisig(kind) ? [0, 1, 2] : [0])

function parse(kind: Kind) {
  const keys = holders(kind).map(
    (n) => `[${fingerprints[n]}/84h/1h/0h]${accounts[n]?.publicExtendedKey}/<0;1>/*`,
  )
  const open = kind.replaceAll(')', '')
  const inner = isMultisig(kind) ? `2,${keys.join(',')}` : keys[0]
  const parsed = parseDescriptor(`${open}(${inner}${')'.repeat(open.split('(').length)}`)
  if (!parsed.ok) throw new TypeError(parsed.error.message)
  return parsed.value
}
const descriptors = new Map(KINDS.map((kind) => [kind, parse(kind)]))
export function descriptorOf(kind: Kind) {
  const descriptor = descriptors.get(kind)
  if (!descriptor) throw new TypeError(kind)
  return descriptor
}
export const descriptorText = (kind: Kind): string => printDescriptor(descriptorOf(kind))

/** What the maker of a PSBT says of one place of the wallet. */
function dataAt(kind: Kind, branch: number, index: number) {
  const path = [...PATH, branch, index]
  const keys = holders(kind).map((n) => {
    const key = accounts[n]?.deriveChild(branch).deriveChild(index).publicKey
    if (!key) throw new TypeError('no key')
    return { key: key as Uint8Array, fingerprint: masters[n]?.fingerprint ?? 0 }
  })
  const plain = keys.map(({ key, fingerprint }) => [key, { fingerprint, path }] as const)
  const [first] = keys
  if (!first) throw new TypeError('no key')
  const sorted = keys.map(({ key }) => key).sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
  const multisig = () => btc.p2wsh(btc.p2ms(2, sorted))
  if (kind === 'tr') {
    const x = first.key.subarray(1)
    const der = { fingerprint: first.fingerprint, path }
    return { tapInternalKey: x, tapBip32Derivation: [[x, { hashes: [], der }] as const] }
  }
  const scripts = {
    pkh: () => ({}),
    wpkh: () => ({}),
    'sh(wpkh)': () => ({ redeemScript: btc.p2wpkh(first.key).script }),
    'wsh(sortedmulti)': () => ({ witnessScript: multisig().witnessScript }),
    'sh(wsh(sortedmulti))': () => ({
      redeemScript: multisig().script,
      witnessScript: multisig().witnessScript,
    }),
  }
  return { bip32Derivation: plain, ...scripts[kind]() }
}

export interface PaymentShape {
  readonly kind: Kind
  /** Which coins: the same numbers are the same coins. */
  readonly coins: readonly number[]
  /** Satoshis of each payment. */
  readonly pays: readonly number[]
  readonly fee?: number
  readonly sequence?: number
  readonly lockTime?: number
}
export interface PaymentPsbt {
  readonly bytes: Uint8Array
  readonly unsignedTxid: Txid
  readonly payments: PolicyReceipt['payments']
  /** Checksum of the wallet's descriptor. */
  readonly descriptor: string
  readonly coins: readonly {
    readonly txid: Txid
    readonly amount: bigint
    readonly branch: number
    readonly index: number
    readonly script: Uint8Array
  }[]
  readonly change: readonly { readonly index: number; readonly amount: bigint }[]
}
export const COIN = 1_000_000

function coinOf(kind: Kind, n: number) {
  const [branch, index] = [n % 2, n]
  const script = scriptAt(descriptorOf(kind), branch, index)
  const amount = sat(BigInt(COIN + n))
  const none = new Uint8Array()
  const funding = {
    version: 2,
    lockTime: n,
    inputs: [{ txid: txid('cd'.repeat(32)), vout: n, script: none, sequence: 0, witness: [] }],
    outputs: [{ amount, script }],
  }
  return {
    branch,
    index,
    script,
    amount,
    txid: txidOf(funding),
    previous: encodeTransaction(funding),
  }
}

/** An honest payment as an engine would make it; what is left goes to change. */
export function payment({ kind, coins, pays, fee = 3000, ...more }: PaymentShape): PaymentPsbt {
  const { sequence = 0xfffffffd, lockTime = 0 } = more
  const funded = coins.map((n) => coinOf(kind, n))
  const tx = new btc.Transaction({ version: 2, lockTime, allowUnknownOutputs: true })
  for (const { branch, index, script, amount, txid: id, previous } of funded) {
    const utxo = kind === 'tr' ? {} : { nonWitnessUtxo: previous }
    const witness = kind === 'pkh' ? {} : { witnessUtxo: { script, amount } }
    // The types of btc-signer want mutable lists; the values are as BIP 174 has them.
    const data = dataAt(kind, branch, index) as object
    tx.addInput({ txid: id, index: 0, sequence, ...utxo, ...witness, ...data })
  }
  const payments = pays.map((amount, i) => ({
    withdrawal: `wdr_${i}` as WithdrawalId,
    script: fromHex(`0014${(i + 1).toString(16).padStart(2, '0').repeat(20)}`),
    amount: sat(BigInt(amount)),
  }))
  for (const { script, amount } of payments) tx.addOutput({ script, amount })
  const had = funded.reduce((sum, { amount }) => sum + amount, 0n)
  const rest = had - BigInt(fee) - payments.reduce((sum, { amount }) => sum + amount, 0n)
  const index = (coins[0] ?? 0) + 7
  const change = rest >= 1000n ? [{ index, amount: rest }] : []
  for (const each of change) {
    const script = scriptAt(descriptorOf(kind), 1, each.index)
    tx.addOutput({ script, amount: each.amount, ...(dataAt(kind, 1, each.index) as object) })
  }
  const bytes = tx.toPSBT(0)
  const id = txid(btc.Transaction.fromPSBT(bytes, { allowUnknownOutputs: true }).id)
  return {
    bytes,
    unsignedTxid: unsignedIdOf(tx, id),
    payments,
    descriptor: descriptorText(kind).slice(-8),
    coins: funded,
    change,
  }
}

/** btc-signer fills in the redeem script before it hashes; a receipt is for the transaction with empty scripts. */
function unsignedIdOf(tx: btc.Transaction, otherwise: Txid): Txid {
  const bytes = tx.unsignedTx
  return bytes ? txid(toHex(doubleSha256(bytes).reverse())) : otherwise
}

import { assert, sat, type Sat, satPerKvB, type Txid } from '@kaccy/bitcoin/kernel'
import { type Descriptor, parseDescriptor, scriptAt } from '@kaccy/bitcoin/protocol/descriptor'
import {
  derivePrivate,
  type ExtendedPrivateKey,
  fingerprintOf,
  masterFromSeed,
  parseKeyPath,
  printExtendedPublicKey,
  publicKeyOf,
} from '@kaccy/bitcoin/protocol/keys'
import { createPsbt, type Psbt, type PsbtPolicy } from '@kaccy/bitcoin/protocol/psbt'
import { p2wpkhScript } from '@kaccy/bitcoin/protocol/script'
import { encodeTransaction, type Transaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'

export function must<T>(
  result: { ok: true; value: T } | { ok: false; error: { message: string } },
): T {
  assert(result.ok, result.ok ? '' : result.error.message)
  return result.value
}

/** The keys of three signers, the same in every run. */
export const MASTERS: readonly ExtendedPrivateKey[] = [1, 2, 3].map((byte) =>
  must(masterFromSeed(new Uint8Array(32).fill(byte), 'test')),
)

function keyText(master: ExtendedPrivateKey, path: string): string {
  const account = must(derivePrivate(master, must(parseKeyPath(path))))
  const xpub = printExtendedPublicKey(publicKeyOf(account))
  return `[${fingerprintOf(master.publicKey)}/${path}]${xpub}/<0;1>/*`
}
const single = (path: string) => keyText(MASTERS[0] as ExtendedPrivateKey, path)
const several = (path: string) => MASTERS.map((master) => keyText(master, path)).join(',')

export interface Wallet {
  readonly name: string
  readonly descriptor: Descriptor
  /** Virtual bytes of one input, about. */
  readonly inputVsize: number
  readonly threshold: number
}
const wallet = (text: string, inputVsize: number, threshold = 1): Wallet => {
  const descriptor = must(parseDescriptor(text))
  return { name: descriptor.kind, descriptor, inputVsize, threshold }
}
/** One of each kind that can sign. */
export const WALLETS: readonly Wallet[] = [
  wallet(`pkh(${single('44h/1h/0h')})`, 149),
  wallet(`wpkh(${single('84h/1h/0h')})`, 69),
  wallet(`sh(wpkh(${single('49h/1h/0h')}))`, 92),
  wallet(`tr(${single('86h/1h/0h')})`, 58),
  wallet(`wsh(sortedmulti(2,${several('48h/1h/0h/2h')}))`, 106, 2),
  wallet(`sh(wsh(sortedmulti(2,${several('48h/1h/0h/1h')})))`, 141, 2),
]

const EMPTY = new Uint8Array()
const FAR = 'f'.repeat(64) as Txid

/** A transaction that makes one coin of `amount` at `vout`, and is another one for each `nonce`. */
export function fundingOf(
  script: Uint8Array,
  amount: Sat,
  vout: number,
  nonce: number,
): Transaction {
  const other = { amount: sat(777n), script: p2wpkhScript(new Uint8Array(20).fill(9)) }
  const outputs = [...new Array<typeof other>(vout).fill(other), { amount, script }]
  const input = { txid: FAR, vout: nonce, script: EMPTY, sequence: 0xfffffffd, witness: [] }
  return { version: 2, inputs: [input], outputs, lockTime: nonce }
}

export interface Plan {
  readonly coins: readonly {
    readonly branch: number
    readonly index: number
    readonly vout: number
  }[]
  readonly payments: readonly { readonly seed: number; readonly amount: number }[]
  readonly changeIndex?: number
  /** Satoshi per virtual byte. */
  readonly rate: number
  readonly version: 0 | 2
  readonly lockTime: number
  readonly xpubs: boolean
  readonly hasPrevious: boolean
}
export interface Withdrawal {
  readonly psbt: Psbt
  readonly policy: PsbtPolicy
  readonly fee: bigint
}
export const TIP = 850_000

/** An honest withdrawal: its PSBT, and what it is held against. */
export function withdrawalOf({ descriptor, inputVsize }: Wallet, plan: Plan): Withdrawal {
  const payments = plan.payments.map(({ seed, amount }) => {
    const hash = new Uint8Array(20).fill(seed & 0xff)
    hash[0] = seed >>> 8
    return { script: p2wpkhScript(hash), amount: sat(BigInt(amount)) }
  })
  const vsize = 12 + plan.coins.length * inputVsize + (payments.length + 1) * 43
  const fee = BigInt(Math.ceil(vsize * plan.rate))
  const paid = payments.reduce((sum, { amount }) => sum + amount, 0n)
  const change = plan.changeIndex === undefined ? 0n : 100_000n
  const share = (paid + fee + change) / BigInt(plan.coins.length)
  const rest = paid + fee + change - share * BigInt(plan.coins.length - 1)
  const coins = plan.coins.map((coin, i) => {
    const script = scriptAt(descriptor, coin.branch, coin.index)
    const amount = sat(i === 0 ? rest : share)
    const funding = fundingOf(script, amount, coin.vout, i)
    return { ...coin, descriptor, script, amount, funding }
  })
  const changeOutput =
    plan.changeIndex === undefined
      ? []
      : [{ script: scriptAt(descriptor, 1, plan.changeIndex), amount: sat(change) }]
  const transaction: Transaction = {
    version: 2,
    inputs: coins.map(({ funding, vout }) => {
      return { txid: txidOf(funding), vout, script: EMPTY, sequence: 0xfffffffd, witness: [] }
    }),
    outputs: [...payments, ...changeOutput],
    lockTime: plan.lockTime,
  }
  const needsPrevious = plan.hasPrevious || descriptor.kind === 'pkh'
  const psbt = createPsbt({
    transaction,
    version: plan.version,
    xpubs: plan.xpubs,
    inputs: coins.map(({ funding, ...coin }) => {
      return { ...coin, ...(needsPrevious ? { previous: encodeTransaction(funding) } : {}) }
    }),
    outputs: [
      ...payments.map(() => ({})),
      ...changeOutput.map(() => ({ descriptor, branch: 1, index: plan.changeIndex ?? 0 })),
    ],
  })
  return { psbt, policy: policyFor(descriptor, payments), fee }
}

export const policyFor = (
  descriptor: Descriptor,
  requests: PsbtPolicy['requests'],
): PsbtPolicy => ({
  wallet: [descriptor],
  requests,
  maxFee: sat(5_000_000n),
  maxFeeRate: satPerKvB(500_000n),
  minFeeRate: satPerKvB(1_000n),
  tipHeight: TIP,
  changeIndexMax: 100_000,
})

import { assert, equalBytes, type Sat } from '../../kernel/index.ts'
import type { Descriptor, KeyExpression } from '../descriptor/index.ts'
import { encodeExtendedPublicKey } from '../keys/index.ts'
import { SIGHASH } from '../sighash/index.ts'
import { decodeTransaction, type Transaction, txidOf } from '../transaction/index.ts'
import type { Psbt, PsbtInput, PsbtOutput, PsbtVersion, PsbtXpub } from './model.ts'
import { rootOrigin } from './place.ts'
import { ownAt } from './scripts.ts'
import { byKey } from './sort.ts'

/** A coin of ours, in the order of the inputs of the transaction. */
export interface DraftInput {
  readonly descriptor: Descriptor
  readonly branch: number
  readonly index: number
  readonly amount: Sat
  /** The output script of the coin. */
  readonly script: Uint8Array
  /** The whole transaction that made it. Signers of coins without witness cannot do without, those of segwit v0 should not. */
  readonly previous?: Uint8Array
}
/** What signers are told about an output: where change comes from. Nothing for outputs of others. */
export interface DraftOutput {
  readonly descriptor?: Descriptor
  readonly branch?: number
  readonly index?: number
}
export interface PsbtDraft {
  readonly transaction: Transaction
  readonly inputs: readonly DraftInput[]
  readonly outputs: readonly DraftOutput[]
  /** 0 by default: every signer reads it. */
  readonly version?: PsbtVersion
  /** True puts the account keys of the descriptors into the file, for signers that set up a multisig from it. */
  readonly xpubs?: boolean
}

const NOTHING_KEPT = { kept: [] } as const

function previousOf({ previous }: DraftInput, transaction: Transaction, i: number) {
  if (!previous) return undefined
  const decoded = decodeTransaction(previous)
  assert(decoded.ok, `the previous transaction of input ${i} cannot be read`)
  assert(
    txidOf(decoded.value) === transaction.inputs[i]?.txid,
    `the previous transaction of input ${i} is another one`,
  )
  return decoded.value
}

function inputOf(draft: DraftInput, transaction: Transaction, i: number): PsbtInput {
  const { amount, script, descriptor } = draft
  const own = ownAt(draft)
  assert(equalBytes(script, own.script), `the coin of input ${i} is not where the draft says`)
  const previous = previousOf(draft, transaction, i)
  const coin = previous?.outputs[transaction.inputs[i]?.vout ?? -1]
  const isCoin = !previous || (coin?.amount === amount && equalBytes(coin.script, script))
  assert(isCoin, `the previous transaction made another coin for input ${i}`)
  const hasWitness = descriptor.kind !== 'pkh'
  assert(previous || hasWitness, `input ${i} has no witness and no previous transaction`)
  const isTaproot = descriptor.kind === 'tr'
  return {
    ...NOTHING_KEPT,
    // BIP 341 signs the amounts of all coins: the previous transaction would only make the file larger.
    ...(previous && !isTaproot ? { previous } : {}),
    ...(hasWitness ? { witnessUtxo: { amount, script } } : {}),
    // Said aloud, because signers choose for themselves where nothing is said; for taproot that is DEFAULT.
    ...(isTaproot ? {} : { sighash: SIGHASH.ALL }),
    signatures: [],
    ...own.fields,
  }
}

function outputOf(draft: DraftOutput, transaction: Transaction, i: number): PsbtOutput {
  const { descriptor, branch, index } = draft
  if (!descriptor) return { ...NOTHING_KEPT, origins: [], tapOrigins: [] }
  assert(branch !== undefined && index !== undefined, `output ${i} is ours and has no place`)
  const { script, fields } = ownAt({ descriptor, branch, index })
  const paid = transaction.outputs[i]?.script
  assert(paid && equalBytes(paid, script), `output ${i} is not where the draft says`)
  return { ...NOTHING_KEPT, ...fields }
}

/** The account key of an expression, where its origin says how deep it lies. Source: BIP 174, PSBT_GLOBAL_XPUB. */
function xpubOf(expression: KeyExpression): PsbtXpub | undefined {
  const { key } = expression
  if (key.type !== 'extended') return undefined
  const origin = rootOrigin(expression)
  const { extended } = key
  return origin.path.length === extended.depth
    ? { extendedKey: encodeExtendedPublicKey(extended), ...origin }
    : undefined
}

function xpubsOf(inputs: readonly DraftInput[]): PsbtXpub[] {
  const descriptors = new Set(inputs.map(({ descriptor }) => descriptor))
  const xpubs = [...descriptors].flatMap(({ keys }) => keys.flatMap((key) => xpubOf(key) ?? []))
  const sorted = byKey(xpubs, ({ extendedKey }) => extendedKey)
  return sorted.filter((xpub, i) => {
    const before = sorted[i - 1]
    return !before || !equalBytes(before.extendedKey, xpub.extendedKey)
  })
}

/**
 * The PSBT of a transaction that spends coins of our wallet: for each input its coin, scripts and key origins, for each output of
 * ours the proof that it is. Signatures are asked for with SIGHASH_ALL, of taproot with DEFAULT.
 * @throws AssertionError when the draft contradicts itself: a coin or change that its descriptor does not make, a previous
 * transaction of another coin, other numbers of inputs or outputs than the transaction has.
 */
export function createPsbt(draft: PsbtDraft): Psbt {
  const { version = 0, transaction } = draft
  const { inputs, outputs } = transaction
  assert(draft.inputs.length === inputs.length, 'a draft with another number of inputs')
  assert(draft.outputs.length === outputs.length, 'a draft with another number of outputs')
  const isUnsigned = inputs.every(({ script, witness }) => script.length + witness.length === 0)
  assert(isUnsigned, 'a transaction that is signed already')
  return {
    ...NOTHING_KEPT,
    version,
    transaction,
    inputs: draft.inputs.map((input, i) => inputOf(input, transaction, i)),
    outputs: draft.outputs.map((output, i) => outputOf(output, transaction, i)),
    xpubs: draft.xpubs ? xpubsOf(draft.inputs) : [],
    ...(version === 2 ? { fallbackLockTime: transaction.lockTime } : {}),
  }
}

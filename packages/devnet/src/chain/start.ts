import { must } from '../failure.ts'
import { assembleBlock } from './assemble.ts'
import { Chain, type ChainBase, genesisChain } from './chain.ts'
import { namedKey, signTransaction, type TestKey } from './keys.ts'
import type { BlockNode } from './node.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from './transaction.ts'

/** Receives the coinbase of every block that names no other receiver. */
export const minerKey: TestKey = namedKey('kaccy devnet miner')
/** Owns the small coins that tests spend and double-spend. */
export const strangerKey: TestKey = namedKey('kaccy devnet stranger')

/** Height of the funded start chain. */
export const START_HEIGHT = 110
const FAN_HEIGHT = 105
const FAN_COINBASES = 4
/** Coins of the stranger in the start chain. */
export const STRANGER_COINS = 1000
/** Satoshi of each. */
export const STRANGER_COIN_VALUE = 19_990_000n
const SPACING_SECONDS = 600
const GENESIS_TIME = 1_296_688_602

function fanOut(chain: Chain): Transaction {
  const sources = chain.active
    .slice(1, 1 + FAN_COINBASES)
    .map((node) => must(chain.blockOf(node)?.transactions[0], 'start chain coinbase'))
  const inputs = sources.map((coinbase) => ({
    txid: coinbase.txid,
    vout: 0,
    script: new Uint8Array(),
    sequence: 0xfffffffe,
    witness: [],
  }))
  const outputs = Array.from({ length: STRANGER_COINS }, () => ({
    value: STRANGER_COIN_VALUE,
    script: strangerKey.script,
  }))
  const unsigned = encodeTransaction({ version: 2, inputs, outputs, locktime: 0 })
  const spent = sources.map((coinbase) => must(coinbase.outputs[0], 'a coinbase pays'))
  const transaction = must(decodeTransaction(unsigned), 'our own transaction decodes')
  const { raw } = signTransaction(transaction, spent, [minerKey])
  return must(decodeTransaction(raw), 'our own transaction decodes')
}

const feesOf = (transaction: Transaction, spent: bigint): bigint =>
  transaction.outputs.reduce((rest, output: TransactionOutput) => rest - output.value, spent)

function build(tipTime: number): ChainBase {
  let time = tipTime - START_HEIGHT * SPACING_SECONDS
  // The scripts of the start chain are our own: they were signed right, so that building it need not verify them.
  const chain = new Chain(genesisChain(), { verifySignatures: false, now: () => tipTime })
  for (let height = 1; height <= START_HEIGHT; height++) {
    time += SPACING_SECONDS
    const transactions = height === FAN_HEIGHT ? [fanOut(chain)] : []
    const fees = transactions.reduce(
      (sum, transaction) => sum + feesOf(transaction, BigInt(FAN_COINBASES) * 5_000_000_000n),
      0n,
    )
    const outcome = chain.accept(
      assembleBlock({
        prev: chain.tip,
        transactions,
        fees,
        coinbaseScript: minerKey.script,
        extra: new Uint8Array(),
        now: time,
      }),
    )
    if (outcome.kind !== 'stored') must(undefined, 'the start chain is valid')
  }
  return chain.freeze()
}

const built = new Map<number, ChainBase>()
const BUILT_LIMIT = 8
/**
 * A start chain of `START_HEIGHT` blocks whose tip lies at or shortly after `now` (seconds): mature coins for the miner,
 * `STRANGER_COINS` for the stranger. Kept per second of the clock, so that the next devnet starts in microseconds.
 */
export function fundedChain(now: number): ChainBase {
  const least = GENESIS_TIME + (START_HEIGHT + 1) * SPACING_SECONDS
  const tipTime = Math.max(Math.floor(now), least)
  const known = built.get(tipTime)
  if (known) return known
  const base = build(tipTime)
  const oldest = built.keys().next().value
  if (built.size >= BUILT_LIMIT && oldest !== undefined) built.delete(oldest)
  built.set(tipTime, base)
  return base
}
/** The transaction whose outputs are the stranger's coins. */
export function strangerSource(chain: Chain): Transaction | undefined {
  const node: BlockNode | undefined = chain.active[FAN_HEIGHT]
  return node && chain.blockOf(node)?.transactions[1]
}

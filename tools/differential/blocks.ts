import type { BuiltBlock, Ledger } from './ledger.ts'
import { keyOf } from './ledger.ts'
import { OP, push, pushNumber, script } from './opcodes.ts'
import {
  compact,
  concat,
  encode,
  hash256,
  hex,
  merkle,
  reversedHex,
  txidOf,
  u32,
  unhex,
  type WireTransaction,
} from './wire.ts'

/** What to do otherwise than the rules want. */
export interface Tweaks {
  readonly version?: number
  readonly time?: number
  readonly bits?: number
  readonly badWork?: boolean
  readonly badRoot?: boolean
  /** Satoshi that the coinbase takes beyond its due. */
  readonly greed?: bigint
  readonly coinbaseScript?: Uint8Array
  readonly coinbaseOutputs?: WireTransaction['outputs']
  readonly commitment?: 'none' | 'wrong' | 'double'
  readonly reserved?: readonly Uint8Array[]
  /** The finished list, coinbase first. */
  readonly arrange?: (list: readonly WireTransaction[]) => readonly WireTransaction[]
}
export interface BlockPlan {
  readonly parent: BuiltBlock
  readonly transactions: readonly WireTransaction[]
  readonly fees: bigint
  readonly payTo: Uint8Array
  /** Makes blocks with equal contents different. */
  readonly salt: number
  /** Seconds after the parent. */
  readonly delay: number
  readonly tweaks?: Tweaks
}
const BITS = 0x207fffff
export const subsidyAt = (height: number): bigint =>
  height >= 64 * 150 ? 0n : 5_000_000_000n >> BigInt(Math.floor(height / 150))

function medianOf(parent: BuiltBlock | undefined, time: number): number {
  const times = [time]
  for (let at = parent; at && times.length < 11; at = at.parent) times.push(at.time)
  return times.sort((a, b) => a - b)[times.length >> 1] ?? time
}
function coinbaseOf(plan: BlockPlan): WireTransaction {
  const { parent, tweaks = {} } = plan
  const height = parent.height + 1
  const value = subsidyAt(height) + plan.fees + (tweaks.greed ?? 0n)
  const outputs = tweaks.coinbaseOutputs ?? [{ value, script: plan.payTo }]
  return {
    version: 2,
    inputs: [
      {
        txid: '0'.repeat(64),
        vout: 0xffffffff,
        script: tweaks.coinbaseScript ?? script(pushNumber(height), push(u32(plan.salt))),
        sequence: 0xffffffff,
        witness: [],
      },
    ],
    outputs: [...outputs],
    locktime: 0,
  }
}
function commit(coinbase: WireTransaction, { transactions, tweaks = {} }: BlockPlan): void {
  const input = coinbase.inputs[0]
  if (!input || tweaks.commitment === 'none') return
  const reserved = tweaks.reserved ?? [new Uint8Array(32)]
  input.witness = reserved
  const leaves = [new Uint8Array(32), ...transactions.map((each) => hash256(encode(each)))]
  const digest = hash256(concat(merkle(leaves), reserved[0] ?? []))
  if (tweaks.commitment === 'wrong') digest[5] = (digest[5] ?? 0) ^ 1
  const output = { value: 0n, script: script(OP.RETURN, [0x24, 0xaa, 0x21, 0xa9, 0xed], digest) }
  coinbase.outputs.push(output)
  // Of several commitments the last one counts.
  if (tweaks.commitment === 'double') {
    const first = script(OP.RETURN, [0x24, 0xaa, 0x21, 0xa9, 0xed], new Uint8Array(32))
    coinbase.outputs.splice(0, 0, { value: 0n, script: first })
  }
}
const meets = (digest: Uint8Array): boolean => (digest[31] ?? 0xff) < 0x7f

/** A block with proof of work, built from nothing but bytes. */
export function buildBlock(plan: BlockPlan): BuiltBlock {
  const { parent, tweaks = {} } = plan
  const coinbase = coinbaseOf(plan)
  commit(coinbase, plan)
  const arrange = tweaks.arrange ?? ((list) => list)
  const transactions = arrange([coinbase, ...plan.transactions])
  const root = merkle(transactions.map((each) => hash256(encode(each, false))))
  if (tweaks.badRoot) root[9] = (root[9] ?? 0) ^ 1
  const time = tweaks.time ?? Math.max(parent.time + plan.delay, parent.medianTime + 1)
  const header = concat(
    u32(tweaks.version ?? 0x20000000),
    unhex(parent.hash).reverse(),
    root,
    u32(time),
    u32(tweaks.bits ?? BITS),
    u32(0),
  )
  let digest = hash256(header)
  for (let nonce = 1; meets(digest) === (tweaks.badWork ?? false); nonce++) {
    header.set(u32(nonce), 76)
    digest = hash256(header)
  }
  const body = transactions.map((each) => encode(each))
  return {
    hash: reversedHex(digest),
    parent,
    height: parent.height + 1,
    time,
    medianTime: medianOf(parent, time),
    hex: hex(concat(header, compact(transactions.length), ...body)),
    transactions,
  }
}

/** Satoshi that these pay when they follow each other on the ledger's tip; what is unknown counts as nothing. */
export function feesOf(ledger: Ledger, transactions: readonly WireTransaction[]): bigint {
  const made = new Map<string, bigint>()
  let fees = 0n
  for (const transaction of transactions) {
    const txid = txidOf(transaction)
    let rest = 0n
    for (const input of transaction.inputs) {
      const key = keyOf(input.txid, input.vout)
      rest += made.get(key) ?? ledger.coins.get(key)?.value ?? 0n
    }
    transaction.outputs.forEach(({ value }, vout) => {
      rest -= value
      made.set(keyOf(txid, vout), value)
    })
    if (rest > 0n) fees += rest
  }
  return fees
}

/** Core's regtest genesis: only its hash and time matter here. */
export const GENESIS: BuiltBlock = {
  hash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
  parent: undefined,
  height: 0,
  time: 1_296_688_602,
  medianTime: 1_296_688_602,
  hex: '',
  transactions: [],
}

import { createHash } from 'node:crypto'
import { fromHex, toHex, toReversedHex } from '@kaccy/bitcoin/kernel'
import { p2wpkh, Transaction } from '@scure/btc-signer'
import { pubECDSA } from '@scure/btc-signer/utils.js'

/** A coin that the contract suite can spend. */
export interface OwnCoin {
  readonly txid: string
  readonly vout: number
  readonly amount: bigint
}
export interface BuiltTransaction {
  readonly txid: string
  readonly raw: Uint8Array
  readonly fee: bigint
}
export interface BuiltBlock {
  readonly hash: string
  readonly height: number
  readonly time: number
  readonly hex: string
  /** What its miner got. */
  readonly coin: OwnCoin
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const hash256 = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))

/** A key for regtest only, the same in every run. */
const KEY = new Uint8Array(sha256(new TextEncoder().encode('node contract suite')))
/** Where everything is paid to. */
export const OWN_SCRIPT: Uint8Array = p2wpkh(pubECDSA(KEY)).script

export interface Spend {
  readonly coins: readonly OwnCoin[]
  /** Amounts paid to ourselves, in order; the rest is the fee. */
  readonly amounts: readonly bigint[]
  readonly sequence?: number
  readonly lockTime?: number
  /** Flips a bit of the signature. */
  readonly broken?: boolean
}

/** Signed transaction from our coins to ourselves. Signals replacement (BIP 125) by default. */
export function pay(spend: Spend): BuiltTransaction {
  const transaction = new Transaction({ lockTime: spend.lockTime ?? 0 })
  for (const { txid, vout, amount } of spend.coins) {
    transaction.addInput({
      txid,
      index: vout,
      sequence: spend.sequence ?? 0xfffffffd,
      witnessUtxo: { script: OWN_SCRIPT, amount },
    })
  }
  for (const amount of spend.amounts) transaction.addOutput({ script: OWN_SCRIPT, amount })
  transaction.sign(KEY)
  transaction.finalize()
  const raw = transaction.extract()
  const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n)
  const fee = sum(spend.coins.map(({ amount }) => amount)) - sum(spend.amounts)
  // A byte in the middle of the first signature; the id does not cover it.
  if (spend.broken) flip(raw, signatureAt(raw) + 20)
  return { txid: transaction.id, raw, fee }
}

const flip = (bytes: Uint8Array, at: number): void => {
  bytes[at] = (bytes[at] ?? 0) ^ 1
}
/** Position of the first DER signature of a witness. */
const signatureAt = (raw: Uint8Array): number =>
  raw.findIndex((byte, at) => byte === 0x30 && raw[at + 2] === 0x02 && (raw[at + 1] ?? 0) > 0x40)

const little = (value: number | bigint, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  let rest = BigInt(value)
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const reversed = (hex: string): Uint8Array => fromHex(hex).reverse()

/** BIP 34: the height as the first push of the coinbase, as small as a script number can be. */
function heightPush(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(0x50 + height)
  const length = height < 0x80 ? 1 : height < 0x8000 ? 2 : height < 0x800000 ? 3 : 4
  return join(Uint8Array.of(length), little(height, length))
}

/** Regtest halves every 150 blocks. */
export const subsidyAt = (height: number): bigint =>
  5_000_000_000n >> BigInt(Math.floor(height / 150))

export interface BlockPlan {
  readonly prev: string
  readonly height: number
  readonly time: number
  readonly transactions?: readonly BuiltTransaction[]
  /** Makes two blocks of one height different. */
  readonly salt?: number
}

/** A block that any regtest node takes: one or two hashes of work, the witness commitment of BIP 141, fees collected. */
export function buildBlock(plan: BlockPlan): BuiltBlock {
  const transactions = plan.transactions ?? []
  const wtxids = [new Uint8Array(32), ...transactions.map(({ raw }) => hash256(raw))]
  const commitment = hash256(join(merkleRoot(wtxids), new Uint8Array(32)))
  const amount = transactions.reduce((sum, { fee }) => sum + fee, subsidyAt(plan.height))
  const script = join(heightPush(plan.height), Uint8Array.of(4), little(plan.salt ?? 0, 4))
  const inputs = join(
    Uint8Array.of(1),
    new Uint8Array(32),
    fromHex('ffffffff'),
    Uint8Array.of(script.length),
    script,
    fromHex('ffffffff'),
  )
  const outputs = join(
    Uint8Array.of(2),
    little(amount, 8),
    Uint8Array.of(OWN_SCRIPT.length),
    OWN_SCRIPT,
    little(0, 8),
    fromHex('266a24aa21a9ed'),
    commitment,
  )
  const version = little(2, 4)
  const coinbaseId = hash256(join(version, inputs, outputs, little(0, 4)))
  const coinbase = join(
    version,
    fromHex('0001'),
    inputs,
    outputs,
    fromHex('0120'),
    new Uint8Array(32),
    little(0, 4),
  )
  const root = merkleRoot([coinbaseId, ...transactions.map(({ txid }) => reversed(txid))])
  const header = mined(plan, root)
  const count = Uint8Array.of(transactions.length + 1)
  return {
    hash: toReversedHex(hash256(header)),
    height: plan.height,
    time: plan.time,
    hex: toHex(join(header, count, coinbase, ...transactions.map(({ raw }) => raw))),
    coin: { txid: toReversedHex(coinbaseId), vout: 0, amount },
  }
}

function mined(plan: BlockPlan, root: Uint8Array): Uint8Array {
  const start = join(
    little(0x20000000, 4),
    reversed(plan.prev),
    root,
    little(plan.time, 4),
    fromHex('ffff7f20'),
  )
  for (let nonce = 0; ; nonce++) {
    const header = join(start, little(nonce, 4))
    if ((hash256(header)[31] ?? 0xff) < 0x7f) return header
  }
}

function merkleRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let level = [...hashes]
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] ?? new Uint8Array(32)
      next.push(hash256(join(left, level[i + 1] ?? left)))
    }
    level = next
  }
  return level[0] ?? new Uint8Array(32)
}

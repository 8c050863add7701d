import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { type Sat, sat } from '@kaccy/bitcoin/kernel'
import { Devnet, DevnetError, type Spend } from '@kaccy/devnet'
import { Model } from './model.ts'
import type { Random } from './random.ts'

interface Sent {
  readonly coin: string
  readonly spend: Spend
  readonly outs: readonly { readonly script: Uint8Array; readonly amount: Sat }[]
}
const THIEF = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7))

/** The chain and the strangers on it: everything that can happen to payments outside of the engine. */
export class World {
  readonly devnet: Devnet
  readonly model: Model
  readonly #random: Random
  readonly #sent: Sent[] = []
  #coins = 0

  constructor(random: Random, clock: () => number) {
    this.#random = random
    this.devnet = new Devnet({ seed: `world ${random.next()}`, clock, verifySignatures: false })
    this.model = new Model(this.devnet)
  }
  #remember(sent: Sent): void {
    this.#sent.push(sent)
    sent.outs.forEach(({ script, amount }, vout) => {
      this.model.made(script, { txid: sent.spend.txid, vout, amount, coinbase: false })
    })
  }
  #amountFor(order: OrderRecord): Sat {
    const asked = order.amount ?? sat(BigInt(this.#random.between(1000, 500_000)))
    const kind = this.#random.weighted({ exact: 6, part: 3, over: 1, dustAbove: 1 })
    if (kind === 'exact') return asked
    if (kind === 'over') return sat(asked + BigInt(this.#random.between(1, 5000)))
    if (kind === 'dustAbove') return sat(600n)
    return sat(
      BigInt(Math.max(600, Math.floor((Number(asked) * this.#random.between(20, 80)) / 100))),
    )
  }
  /** A new payment: one or two outputs, to one or two orders. */
  pay(orders: readonly OrderRecord[]): void {
    const targets = [
      this.#random.pick(orders),
      this.#random.chance(15) ? this.#random.pick(orders) : undefined,
    ]
    const outs = targets.flatMap((order) => {
      if (!order) return []
      const out = { script: order.script, amount: this.#amountFor(order) }
      return this.#random.chance(10) ? [out, out] : [out]
    })
    if (outs.length === 0) return
    this.#coins += 1
    const coin = `coin ${this.#coins}`
    this.#spend(coin, outs)
  }
  #spend(coin: string, outs: Sent['outs']): Sent | undefined {
    const spend = this.devnet.spend({ from: coin, outs, rbf: this.#random.chance(60) })
    const sent = { coin, spend, outs }
    this.#remember(sent)
    this.devnet.trySend(spend.raw)
    return sent
  }
  /** Another spend of a coin that was spent before: keeps, lowers or takes away what we were promised. */
  replace(): void {
    const old = this.#random.pick(this.#sent.filter((sent) => this.#inMempool(sent)))
    if (!old) return
    const kind = this.#random.weighted({ keep: 3, lower: 2, away: 4 })
    const outs =
      kind === 'away'
        ? [{ script: THIEF, amount: sat(5000n) }]
        : old.outs.map(({ script, amount }) => ({
            script,
            amount: kind === 'keep' || amount < 2000n ? amount : sat(amount - 1000n),
          }))
    this.#spend(old.coin, outs)
  }
  #inMempool({ spend }: Sent): boolean {
    return this.devnet.view.mempoolTransaction(spend.txid) !== undefined
  }
  /** The owner of our keys spends a payment with another wallet: all of it away, or with change to one of our addresses. */
  spendOurs(change: Uint8Array | undefined): void {
    const sent = this.#random.pick(this.#sent.filter((one) => one.outs[0]?.script !== THIEF))
    const output = sent?.outs[0]
    if (!sent || !output || output.amount < 5000n) return
    const { txid } = sent.spend
    if (!this.devnet.view.coin(txid, 0)) return
    const rest = sat(output.amount - 3000n)
    const spend = this.devnet.spend({
      from: { txid, vout: 0 },
      outs: [{ script: change ?? THIEF, amount: rest }],
      change: false,
    })
    const outs = [{ script: change ?? THIEF, amount: rest }]
    this.#remember({ coin: `${txid}:0`, spend, outs })
    this.devnet.trySend(spend.raw)
  }
  evict(): void {
    const victim = this.#random.pick(this.devnet.view.mempool())
    if (victim !== undefined) this.devnet.evict(victim)
  }
  /** Sends again what once left the mempool. */
  resend(): void {
    const sent = this.#random.pick(this.#sent)
    if (sent) this.devnet.trySend(sent.spend.raw)
  }
  /** A block with a random part of the mempool, in its order. */
  mine(): void {
    const keep = this.#random.pick([100, 100, 70, 0]) ?? 100
    const spends = this.#sent.map(({ spend }) => spend.txid)
    const pool = this.devnet.view.mempool().filter((txid) => spends.includes(txid))
    const txids = pool.filter(() => this.#random.chance(keep))
    // A child without its parent makes no block; then it is an empty one.
    if (!possible(() => this.devnet.mineBlock({ txids }))) this.devnet.mineBlock()
  }
  mineTo(order: OrderRecord): void {
    const hash = this.devnet.mineBlock({ coinbaseTo: order.address })
    const [txid] = this.devnet.view.blockTxids(hash) ?? []
    const coin = txid === undefined ? undefined : this.devnet.view.coin(txid, 0)
    if (txid !== undefined && coin)
      this.model.made(order.script, { txid, vout: 0, amount: coin.value, coinbase: true })
  }
  /**
   * Another branch: what the old one had is mined again, left to the mempool, lost, or double spent. A coin is spent at
   * most once in the new branch.
   */
  reorg(most: number): void {
    const { view } = this.devnet
    const tip = view.tip().height
    const depth = Math.min(this.#random.between(1, most), tip - 111)
    if (depth < 1) return
    const dropped: string[] = []
    for (let height = tip - depth + 1; height <= tip; height++)
      dropped.push(...(view.blockTxids(view.hashAt(height) ?? '') ?? []).slice(1))
    // Now and then the new branch is shorter: an operator invalidated a block.
    const length = Math.max(1, depth + this.#random.between(-1, 2))
    const blocks: string[][] = Array.from({ length }, () => [])
    const lose: string[] = []
    for (const txid of dropped) {
      const sent = this.#sent.find(({ spend }) => spend.txid === txid)
      if (!sent) continue
      const fate = this.#random.weighted({ again: 5, mempool: 2, lose: 2, doubleSpend: 2 })
      const block = blocks[this.#random.between(0, Math.max(0, blocks.length - 1))]
      if (fate === 'again' && block) block.push(txid)
      if (fate === 'lose') lose.push(txid)
      if (fate === 'doubleSpend' && block) block.push(this.#theft(sent))
    }
    if (possible(() => this.devnet.reorg(depth, { blocks, drop: lose }))) return
    this.devnet.reorg(depth, { blocks: length, drop: lose })
  }
  #theft({ coin }: Sent): string {
    const outs = [{ script: THIEF, amount: sat(5000n) }]
    const spend = this.devnet.spend({ from: coin, outs })
    this.#remember({ coin, spend, outs })
    return spend.raw
  }
}

/** False when the chain forbids it; a refused block changes nothing. */
function possible(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (error instanceof DevnetError && error.code === 'DEVNET_BLOCK_REFUSED') return false
    throw error
  }
}

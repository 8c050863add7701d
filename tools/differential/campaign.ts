import { Random } from '../simulate/random.ts'
import { BlockSteps } from './blocksteps.ts'
import { type BlockPlan, buildBlock, feesOf, GENESIS, type Tweaks } from './blocks.ts'
import { type BuiltBlock, type Coin, keyOf, Ledger, MATURITY } from './ledger.ts'
import { anyLock, simpleLock } from './locks.ts'
import { type Pair, type Subject, textOf } from './pair.ts'
import type { Purse } from './payments.ts'
import { PolicySteps } from './policysteps.ts'
import { encode, hex, txidOf, type WireTransaction } from './wire.ts'

export interface CampaignSize {
  readonly transactions: number
  readonly blocks: number
}
interface SetInfo {
  readonly hash_serialized_3: string
}
/** Blocks before anything is compared at random: mature coins for the generator. */
const START = 125
/** How often the whole set of one side is compared with that of the other. */
const SWEEP_EVERY = 25

/** One run: the same random input for both sides, step by step. */
export class Campaign {
  readonly pair: Pair
  readonly random: Random
  readonly ledger: Ledger
  /** Transactions that both mempools hold. */
  pool = new Map<string, WireTransaction>()
  /** Everything that was ever sent to a mempool or mined. */
  readonly seen = new Map<string, WireTransaction>()
  /** Handed to btcd before their parents. */
  readonly #offered = new Set<string>()
  #salt = 0
  #blocks = 0

  readonly #start: number

  /** `start`: time of the first block, seconds since the epoch. */
  constructor(pair: Pair, start: number) {
    this.pair = pair
    this.#start = start
    this.ledger = new Ledger(GENESIS, pair.other.kind === 'btcd')
    this.random = new Random(pair.seed)
  }

  async run(size: CampaignSize): Promise<void> {
    await this.#begin()
    const policy = new PolicySteps(this)
    const blocks = new BlockSteps(this)
    let transactionsLeft = size.transactions
    let blocksLeft = size.blocks
    while (transactionsLeft + blocksLeft > 0) {
      this.pair.index += 1
      const left = transactionsLeft + blocksLeft
      if (this.random.between(1, left) <= blocksLeft) {
        blocksLeft -= 1
        await blocks.step()
      } else {
        transactionsLeft -= 1
        await policy.step()
      }
    }
    await this.pair.coins([...this.ledger.ever.keys()], { notes: ['every outpoint at the end'] })
  }
  async #begin(): Promise<void> {
    const genesis = textOf(await this.pair.own.call('getblockhash', [0]))
    if (genesis !== GENESIS.hash) throw new TypeError(`not regtest: genesis is ${genesis}`)
    for (let i = 0; i < START; i++) {
      const lock = i < 8 ? simpleLock(this.random) : anyLock(this.random, this.ledger.moment, true)
      const block = this.build([], { payTo: this.ledger.register(lock) })
      await this.submit(block, { notes: ['start'] })
    }
  }

  /** Coins to spend on the ledger's tip, with what the mempool holds. */
  purse(): Purse {
    const { ledger } = this
    const spentBy = new Set<string>()
    for (const { inputs } of this.pool.values()) {
      for (const { txid, vout } of inputs) spentBy.add(keyOf(txid, vout))
    }
    const mature: Coin[] = []
    const immature: Coin[] = []
    const contested: Coin[] = []
    const next = ledger.tip.height + 1
    for (const coin of ledger.coins.values()) {
      if (spentBy.has(coin.key)) contested.push(coin)
      else if (coin.coinbase && next - coin.height < MATURITY) immature.push(coin)
      else mature.push(coin)
    }
    const pending = [...this.pool.values()]
      .flatMap((transaction) => ledger.coinsOf(transaction, next))
      .filter((coin) => !spentBy.has(coin.key))
    return { ledger, random: this.random, mature, immature, pending, contested }
  }
  plan(
    transactions: readonly WireTransaction[],
    options: { payTo?: Uint8Array; tweaks?: Tweaks; parent?: BuiltBlock } = {},
  ): BlockPlan {
    const { random, ledger } = this
    this.#salt += 1
    const lock = anyLock(random, ledger.moment, true)
    return {
      parent: options.parent ?? ledger.tip,
      transactions,
      fees: feesOf(ledger, transactions),
      payTo: options.payTo ?? ledger.register(lock),
      salt: this.#salt,
      delay: this.#salt === 1 ? this.#start - GENESIS.time : this.#delay(),
      ...(options.tweaks ? { tweaks: options.tweaks } : {}),
    }
  }
  /** Short, so that a whole run fits into the day within which btcd believes itself up to date. */
  #delay(): number {
    return this.random.chance(90) ? this.random.between(1, 20) : this.random.between(20, 400)
  }
  build(transactions: readonly WireTransaction[], options: Parameters<Campaign['plan']>[1] = {}) {
    return buildBlock(this.plan(transactions, options))
  }
  /** A transaction behind everything of the mempool that it builds on. */
  withAncestors(transaction: WireTransaction): WireTransaction[] {
    const list: WireTransaction[] = []
    const visit = (each: WireTransaction) => {
      if (list.includes(each)) return
      for (const { txid } of each.inputs) {
        const parent = this.pool.get(txid)
        if (parent && parent !== each) visit(parent)
      }
      list.push(each)
    }
    visit(transaction)
    return list
  }
  /** The mempool in an order that a block may have. */
  poolInOrder(): WireTransaction[] {
    const all: WireTransaction[] = []
    for (const each of this.pool.values()) {
      for (const one of this.withAncestors(each)) if (!all.includes(one)) all.push(one)
    }
    return all
  }

  /** Hands a block to both and compares verdict, tip, mempool and the coins that it touched. */
  async submit(block: BuiltBlock, subject: Subject): Promise<string> {
    const { pair } = this
    const about = { ...subject, hex: block.hex }
    const [own, other] = await pair.both('submitblock', [block.hex])
    const seen = this.#verdicts(textOf(own), textOf(other))
    // What btcd had kept for later is no news to it, now that it fits.
    const kept = this.#offered.has(block.hash) && seen.other === 'duplicate'
    const verdict = kept ? { ...seen, other: seen.devnet } : seen
    pair.compare('block', { step: 'block', ...verdict, notes: subject.notes }, about)
    if (['accepted', 'inconclusive'].includes(verdict.devnet)) this.remember(block)
    await this.#meet(block, about)
    await this.follow(about)
    pair.count(verdict.devnet === 'accepted' ? 'blocks accepted' : 'blocks not accepted')
    return verdict.devnet
  }
  async #meet(block: BuiltBlock, about: Subject): Promise<void> {
    const [own = '', other = ''] = (await this.pair.both('getbestblockhash')).map(textOf)
    if (own === other) return
    if (this.pair.other.kind === 'btcd') return this.#settleTie('submitblock', own, other, about)
    this.pair.report('tip', own, other, about)
    if (!(await this.pair.mend(block))) {
      throw new TypeError('the sides do not come together again')
    }
  }
  /** Core tells exactly why; btcd in words of its own, so that there only yes and no count. */
  #verdicts(own: string, other: string): { devnet: string; other: string } {
    const devnet = own === 'null' ? 'accepted' : own
    if (this.pair.other.kind === 'core') {
      return { devnet, other: other === 'null' ? 'accepted' : other }
    }
    // Neither yes nor no: btcd has looked at the whole branch by then, and the tips must agree.
    const open = devnet === 'inconclusive' && other.startsWith('rejected')
    if (open) return { devnet, other: devnet }
    const rough = devnet === 'inconclusive' ? 'accepted' : devnet
    const refused = rough !== 'accepted' && rough !== 'duplicate'
    if (other === 'null') return { devnet: rough, other: 'accepted' }
    if (other.includes('already have block')) return { devnet: rough, other: 'duplicate' }
    return { devnet: rough, other: refused ? rough : other }
  }
  remember(block: BuiltBlock): void {
    this.ledger.blocks.set(block.hash, block)
    for (const transaction of block.transactions) this.seen.set(txidOf(transaction), transaction)
  }
  /** Hands over a block whose parent may be missing: btcd keeps such a block, Core does not. Compared once all are there. */
  async offer(block: BuiltBlock, subject: Subject): Promise<void> {
    if (this.pair.other.kind === 'core') {
      await this.submit(block, subject)
      return
    }
    await this.pair.other.side.call('submitblock', [block.hex])
    this.remember(block)
    this.#offered.add(block.hash)
  }
  /** After `offer`: what btcd had to keep until now comes to the devnet in order. */
  async catchUp(blocks: readonly BuiltBlock[]): Promise<void> {
    if (this.pair.other.kind === 'core') return
    for (const block of blocks) await this.pair.own.call('submitblock', [block.hex])
  }
  /** An order of the operator to both. */
  async order(method: string, block: BuiltBlock, subject: Subject): Promise<void> {
    const [own, other] = await this.pair.both(method, [block.hash])
    const answers = { devnet: textOf(own), other: textOf(other) }
    this.pair.compare(method, { step: 'order', ...answers, notes: [method] }, subject)
    const [here = '', there = ''] = (await this.pair.both('getbestblockhash')).map(textOf)
    if (here !== there) await this.#settleTie(method, here, there, subject)
    await this.follow(subject)
  }
  /** The other side stays on a branch of no more work: the next block decides. */
  async #settleTie(method: string, own: string, other: string, subject: Subject): Promise<void> {
    const [here, there] = [this.ledger.blocks.get(own), this.ledger.blocks.get(other)]
    const tie = here !== undefined && there !== undefined && here.height >= there.height
    const seen = {
      step: 'tie',
      devnet: own,
      other: tie ? 'no more work' : other,
      notes: [method],
    } as const
    this.pair.compare(method, seen, subject)
    if (!here || !tie) throw new TypeError(`${method} took the sides apart`)
    this.ledger.moveTo(here)
    await this.submit(this.build([]), { notes: [`${method} and the next block`] })
  }
  /** Moves the generator's own books to where both sides are. */
  async follow(subject: Subject): Promise<void> {
    const { pair, ledger } = this
    const tip = textOf(await pair.own.call('getbestblockhash'))
    const block = ledger.blocks.get(tip)
    if (!block) throw new TypeError(`the tip ${tip} was never built`)
    const moved = block !== ledger.tip
    ledger.moveTo(block)
    await this.followMempool(subject)
    if (moved) {
      await pair.coins(ledger.takeTouched(), subject)
      this.#blocks += 1
      if (this.#blocks % SWEEP_EVERY === 0) await this.#sweep(subject)
    }
  }
  async #sweep(subject: Subject): Promise<void> {
    if (this.pair.other.kind !== 'core') return
    const [own, other] = await this.pair.both('gettxoutsetinfo')
    const hash = (answer: typeof own): string =>
      'error' in answer ? textOf(answer) : String((answer.result as SetInfo).hash_serialized_3)
    this.pair.count('unspent sets compared')
    if (hash(own) !== hash(other)) {
      this.pair.report('unspent set', hash(own), hash(other), subject)
    }
  }
  /** Compares the mempools and takes over what both hold. Apart for good, they are emptied. */
  async followMempool(subject: Subject): Promise<void> {
    const { pair } = this
    let [own, other] = await pair.mempools()
    const seen = { step: 'mempool', devnet: own.join(), other: other.join() } as const
    if (seen.devnet !== seen.other) {
      const only = (list: readonly string[], there: readonly string[]) =>
        list.filter((txid) => !there.includes(txid)).map((txid) => this.#describe(txid))
      const devnet = `only here: ${only(own, other).join(' ')}`
      const difference = { devnet, other: `only there: ${only(other, own).join(' ')}` }
      pair.compare('mempool', { ...seen, ...difference, notes: subject.notes }, subject)
      await this.#emptyMempools(other)
      ;[own, other] = await pair.mempools()
    }
    this.pool = new Map()
    for (const txid of own) {
      const transaction = this.seen.get(txid)
      if (transaction) this.pool.set(txid, transaction)
    }
  }
  /** Brings both mempools back to nothing: a block takes the transactions away, and a restart what no block may hold. */
  async #emptyMempools(txids: readonly string[]): Promise<void> {
    const { pair, ledger } = this
    const known = txids.map((txid) => [txid, this.seen.get(txid)] as const).filter(isKnown)
    this.pool = new Map(known)
    const block = this.build(this.poolInOrder())
    await pair.both('submitblock', [block.hex])
    this.remember(block)
    const tip = await pair.tip({ notes: ['mempools apart'] })
    if (tip === block.hash) ledger.moveTo(block)
    await pair.evictAll()
    const [, rest] = await pair.mempools()
    if (rest.length > 0) await this.#startAgain()
  }
  /** The other side starts anew and learns the best chain; what stood beside it is forgotten here too. */
  async #startAgain(): Promise<void> {
    const { pair, ledger } = this
    pair.count('starts of the node')
    await pair.other.restart()
    const chain: BuiltBlock[] = []
    for (let at: BuiltBlock | undefined = ledger.tip; at?.parent; at = at.parent) chain.push(at)
    ledger.blocks.clear()
    ledger.blocks.set(GENESIS.hash, GENESIS)
    for (const block of chain.reverse()) {
      ledger.blocks.set(block.hash, block)
      await pair.other.side.call('submitblock', [block.hex])
    }
  }
  #describe(txid: string): string {
    const transaction = this.seen.get(txid)
    return transaction ? `${txid}=${hex(encode(transaction))}` : txid
  }
}

const isKnown = (
  pair: readonly [string, WireTransaction | undefined],
): pair is [string, WireTransaction] => pair[1] !== undefined

import type { Campaign } from './campaign.ts'
import { FAULTS } from './faults.ts'
import type { BuiltBlock } from './ledger.ts'
import { mutateAfter, mutateBefore } from './mutations.ts'
import { draftPayment, sign } from './payments.ts'
import type { WireTransaction } from './wire.ts'

/** Random blocks: good ones, one fault each, branches in any order, and marks set and taken back. */
export class BlockSteps {
  readonly #campaign: Campaign

  constructor(campaign: Campaign) {
    this.#campaign = campaign
  }
  async step(): Promise<void> {
    const kind = this.#campaign.random.weighted({
      good: 20,
      fault: 50,
      branch: 20,
      mark: 8,
      again: 5,
    })
    this.#campaign.pair.count(`block step: ${kind}`)
    if (kind === 'good') await this.#good()
    else if (kind === 'fault') await this.#fault()
    else if (kind === 'branch') await this.#branch()
    else if (kind === 'mark') await this.#mark()
    else await this.#again()
  }

  /** A few payments that follow each other on the ledger's tip; `bent` is the share of broken ones. */
  #payments(count: number, bent: number): WireTransaction[] {
    const campaign = this.#campaign
    const { random } = campaign
    const list: WireTransaction[] = []
    const used = new Set<string>()
    for (let i = 0; i < count; i++) {
      const { pending: _, contested, ...purse } = campaign.purse()
      const mature = [...purse.mature, ...contested].filter(({ key }) => !used.has(key))
      const draft = draftPayment({ ...purse, mature, pending: [], contested: [] })
      const broken = random.chance(bent)
      if (broken && random.chance(50)) mutateBefore(draft)
      sign(draft)
      if (broken && draft.notes.length === 0) mutateAfter(draft)
      for (const { key } of draft.spent) used.add(key)
      list.push(draft.transaction)
    }
    return list
  }
  async #good(): Promise<void> {
    const campaign = this.#campaign
    const block = campaign.build(campaign.poolInOrder())
    await campaign.submit(block, { notes: ['the mempool'] })
  }
  async #fault(): Promise<void> {
    const campaign = this.#campaign
    const { random, pair } = campaign
    const name = random.pick(Object.keys(FAULTS)) ?? ''
    const purse = campaign.purse()
    const pool = random.chance(50) ? campaign.poolInOrder() : []
    const block = FAULTS[name]?.(campaign.plan(pool), purse)
    if (!block) return pair.count(`fault not at hand: ${name}`)
    const verdict = await campaign.submit(block, { notes: [name] })
    pair.count(`fault ${verdict === 'accepted' ? 'accepted' : 'refused'}: ${name}`)
    if (random.chance(30)) await campaign.submit(block, { notes: [name, 'again'] })
    // What was refused for its form must not stand in the way of the same header with the right contents.
    if (name === 'repeated tail' && verdict !== 'accepted') {
      const right = campaign.build(pool)
      await campaign.submit(right, { notes: [name, 'and then a good one'] })
    }
    // A child of a bad block is bad as well.
    if (verdict !== 'accepted' && random.chance(30)) {
      const child = campaign.build([], { parent: block })
      await campaign.submit(child, { notes: [name, 'its child'] })
    }
  }
  /** The block `depth` below the tip. */
  #below(depth: number): BuiltBlock {
    let at = this.#campaign.ledger.tip
    for (let i = 0; i < depth && at.parent && at.height > 110; i++) at = at.parent
    return at
  }
  async #branch(): Promise<void> {
    const campaign = this.#campaign
    const { random, ledger } = campaign
    const depth = random.between(1, 6)
    const length = Math.max(1, depth + random.between(-1, 2))
    const top = ledger.tip
    const branch: BuiltBlock[] = []
    ledger.moveTo(this.#below(depth))
    for (let i = 0; i < length; i++) {
      const block = campaign.build(this.#payments(random.between(0, 3), 12))
      branch.push(block)
      ledger.blocks.set(block.hash, block)
      ledger.moveTo(block)
    }
    ledger.moveTo(top)
    ledger.takeTouched()
    const order = random.weighted({ forward: 6, backward: 2, mixed: 2 })
    if (order !== 'forward') {
      const way = order === 'backward' ? branch.toReversed() : shuffled(branch, campaign)
      for (const block of way) await campaign.offer(block, { notes: ['branch', order] })
      await campaign.catchUp(branch)
    }
    for (const block of branch)
      await campaign.submit(block, { notes: ['branch', `depth ${depth}`] })
  }
  /** `invalidateblock`, sometimes something on the other branch, and `reconsiderblock`. */
  async #mark(): Promise<void> {
    const campaign = this.#campaign
    const { random, pair } = campaign
    const target = this.#below(random.between(0, 3))
    if (target.height <= 110) return
    const subject = { notes: [`invalidateblock ${target.hash}`] }
    await campaign.order('invalidateblock', target, subject)
    for (let more = random.between(0, 5); more > 0; more--) {
      const block = campaign.build(this.#payments(random.between(0, 1), 0))
      await campaign.submit(block, { notes: ['after invalidateblock'] })
    }
    pair.count('marks')
    if (random.chance(80)) {
      await campaign.order('reconsiderblock', target, { notes: ['reconsiderblock'] })
    }
  }
  async #again(): Promise<void> {
    const campaign = this.#campaign
    const all = [...campaign.ledger.blocks.values()].slice(1)
    const block = campaign.random.pick(all)
    if (block) await campaign.submit(block, { notes: ['known already'] })
  }
}
function shuffled<T>(list: readonly T[], { random }: Campaign): T[] {
  const left = [...list]
  const out: T[] = []
  while (left.length > 0) out.push(...left.splice(random.between(0, left.length - 1), 1))
  return out
}

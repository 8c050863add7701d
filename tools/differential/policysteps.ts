import type { Campaign } from './campaign.ts'
import { type Coin, keyOf } from './ledger.ts'
import { mutateAfter, mutateBefore } from './mutations.ts'
import type { Answer } from './nodes.ts'
import { type Subject, textOf } from './pair.ts'
import { type Draft, draftPayment, sign } from './payments.ts'
import { encode, hex, txidOf, type WireTransaction } from './wire.ts'

/** Bitcoins for 1000 vbytes: Core's default, which btcd wants to be told. */
const MAX_FEE_RATE = 0.1
/** Bitcoins that an unspendable output may hold. */
const MAX_BURN = 21_000_000

interface Verdict {
  readonly allowed?: boolean
  readonly 'reject-reason'?: string
  readonly 'package-error'?: string
}
function verdictOf(answer: Answer): string {
  if ('error' in answer) return textOf(answer)
  const [first] = answer.result as readonly Verdict[]
  if (first?.allowed) return 'accepted'
  return first?.['reject-reason'] ?? first?.['package-error'] ?? 'no verdict'
}

/** Random transactions: what the mempools say, and what a block says. */
export class PolicySteps {
  readonly #campaign: Campaign

  constructor(campaign: Campaign) {
    this.#campaign = campaign
  }
  async step(): Promise<void> {
    const { random, pair } = this.#campaign
    const draft = this.#draft()
    const { transaction, notes } = draft
    const raw = hex(encode(transaction))
    const subject = { notes, hex: raw, spent: this.#spent(draft) }
    const [own, other] = await pair.both('testmempoolaccept', [[raw], MAX_FEE_RATE])
    const verdict = this.#agreed(verdictOf(own), verdictOf(other))
    pair.compare('policy', { step: 'policy', ...verdict, notes }, subject)
    const both = verdict.devnet === 'accepted' && verdict.other === 'accepted'
    pair.count(`verdict: ${verdict.devnet.replace(/[0-9a-f]{64}|\d+/g, '#')}`)
    pair.count(both ? 'transactions relayed' : 'transactions not relayed')
    if (both && random.chance(75)) await this.#send(transaction, subject)
    // What no mempool takes may still stand in a block.
    if (!both || random.chance(15)) await this.#mine(transaction, subject)
  }
  #draft(): Draft {
    const { random } = this.#campaign
    const draft = draftPayment(this.#campaign.purse())
    const kind = random.weighted({ valid: 55, before: 22, after: 20, both: 3 })
    if (kind === 'before' || kind === 'both') mutateBefore(draft)
    sign(draft)
    if (kind === 'after' || kind === 'both') mutateAfter(draft)
    draft.notes.push(...draft.spent.map(kindOf))
    return draft
  }
  /** What it really spends: a late change may point elsewhere. */
  #spent({ transaction, purse, spent }: Draft): readonly Coin[] {
    return transaction.inputs.flatMap(({ txid, vout }, i) => {
      const key = keyOf(txid, vout)
      return purse.ledger.coins.get(key) ?? spent.find((coin) => coin.key === key) ?? spent[i] ?? []
    })
  }
  /** With btcd only yes and no can be compared: its reasons are its own. */
  #agreed(devnet: string, other: string): { devnet: string; other: string } {
    const same = (devnet === 'accepted') === (other === 'accepted')
    return this.#campaign.pair.other.kind === 'btcd' && same
      ? { devnet, other: devnet }
      : { devnet, other }
  }
  async #send(transaction: WireTransaction, subject: Subject): Promise<void> {
    const { pair, seen } = this.#campaign
    // Burning is allowed, where the node asks at all.
    const more = [MAX_FEE_RATE, MAX_BURN]
    const [own, other] = await Promise.all([
      pair.own.call('sendrawtransaction', [subject.hex, ...more]),
      pair.other.side.call('sendrawtransaction', [
        subject.hex,
        ...(pair.other.kind === 'core' ? more : []),
      ]),
    ])
    const { devnet, other: theirs } = this.#agreed(
      'error' in own ? textOf(own) : 'accepted',
      'error' in other ? textOf(other) : 'accepted',
    )
    pair.compare('send', { step: 'send', devnet, other: theirs, notes: subject.notes }, subject)
    seen.set(txidOf(transaction), transaction)
    await this.#campaign.followMempool(subject)
  }
  async #mine(transaction: WireTransaction, subject: Subject): Promise<void> {
    const campaign = this.#campaign
    const block = campaign.build(campaign.withAncestors(transaction))
    const verdict = await campaign.submit(block, { ...subject, notes: ['block', ...subject.notes] })
    const valid = verdict === 'accepted'
    campaign.pair.count(valid ? 'transactions valid' : 'transactions invalid')
  }
}
const kindOf = ({ lock, coinbase }: Coin): string =>
  `${lock?.kind ?? 'unknown'}${coinbase ? ' (coinbase)' : ''}`

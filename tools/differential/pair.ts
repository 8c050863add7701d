import type { Devnet } from '@kaccy/devnet'
import { type NamedDifference, nameOf, type Observation } from './differences.ts'
import type { BuiltBlock, Coin } from './ledger.ts'
import { type Answer, type Call, devnetSide, type Side } from './nodes.ts'
import { hex } from './wire.ts'

/** One difference that nobody has named, with what is needed to see it again. */
export interface Finding {
  readonly seed: number
  /** Number of the step within the run. */
  readonly index: number
  readonly what: string
  readonly devnet: string
  readonly other: string
  readonly notes: readonly string[]
  /** The transaction or block. */
  readonly hex?: string
  /** Script and value of each spent output. */
  readonly spent?: readonly string[]
}
export interface Counterpart {
  readonly kind: NamedDifference['node']
  readonly side: Side
  /** Starts it again with an empty mempool; btcd on regtest forgets its blocks as well. */
  restart(): Promise<void>
}
export interface Subject {
  readonly notes: readonly string[]
  readonly hex?: string
  readonly spent?: readonly Coin[]
}
const CHUNK = 250

/** Both sides and what they disagreed about. */
export class Pair {
  readonly devnet: Devnet
  readonly own: Side
  readonly other: Counterpart
  readonly seed: number
  readonly findings: Finding[] = []
  readonly named = new Map<string, number>()
  readonly counts = new Map<string, number>()
  index = 0

  constructor(devnet: Devnet, other: Counterpart, seed: number) {
    this.devnet = devnet
    this.own = devnetSide(devnet)
    this.other = other
    this.seed = seed
  }
  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }
  both(method: string, params: readonly unknown[] = []): Promise<readonly [Answer, Answer]> {
    return Promise.all([this.own.call(method, params), this.other.side.call(method, params)])
  }
  /** Records what is not equal and has no name. True when both agree or the difference is named. */
  compare(what: string, seen: Observation, subject: Subject): boolean {
    if (seen.devnet === seen.other) return true
    const name = nameOf(this.other.kind, seen)
    if (name !== undefined) {
      this.named.set(name, (this.named.get(name) ?? 0) + 1)
      return true
    }
    this.report(what, seen.devnet, seen.other, subject)
    return false
  }
  report(what: string, devnet: string, other: string, { notes, hex: raw, spent }: Subject): void {
    this.findings.push({
      seed: this.seed,
      index: this.index,
      what,
      devnet,
      other,
      notes,
      ...(raw === undefined ? {} : { hex: raw }),
      ...(spent ? { spent: spent.map(({ script, value }) => `${value} ${hex(script)}`) } : {}),
    })
  }

  /** Best block of both; undefined and a finding when they are not the same. */
  async tip(subject: Subject): Promise<string | undefined> {
    const [own, other] = (await this.both('getbestblockhash')).map(textOf)
    if (own === other) return own
    this.report('tip', own ?? '', other ?? '', subject)
    return undefined
  }
  /** The unconfirmed transactions of both. */
  async mempools(): Promise<readonly [string[], string[]]> {
    const [own, other] = await this.both('getrawmempool')
    return [listOf(own), listOf(other)]
  }
  /** `gettxout` of both for each outpoint: value, script, coinbase flag and confirmations. */
  async coins(keys: readonly string[], subject: Subject): Promise<void> {
    for (let at = 0; at < keys.length; at += CHUNK) {
      const some = keys.slice(at, at + CHUNK)
      const calls = some.map((key): Call => {
        const [txid = '', vout = '0'] = key.split(':')
        return ['gettxout', [txid, Number(vout), false]]
      })
      const [own, other] = await Promise.all([this.own.batch(calls), this.other.side.batch(calls)])
      some.forEach((key, i) => {
        const left = coinText(own[i])
        const right = coinText(other[i])
        this.count('outpoints compared')
        if (left !== right) this.report(`coin ${key}`, left, right, subject)
      })
    }
  }
  /** Makes the other side agree with the devnet about a block that only one of them took. */
  async mend(block: BuiltBlock): Promise<boolean> {
    const [own, other] = (await this.both('getbestblockhash')).map(textOf)
    if (own === other) return true
    if (own === block.hash) await this.own.call('invalidateblock', [block.hash])
    else await this.other.side.call('invalidateblock', [block.hash])
    const [now, then] = (await this.both('getbestblockhash')).map(textOf)
    return now === then
  }
  async evictAll(): Promise<void> {
    const { result } = (await this.own.call('getrawmempool')) as { result: string[] }
    this.devnet.evict(...result)
  }
}

export const textOf = (answer: Answer): string =>
  'error' in answer ? `error ${answer.error.code}: ${answer.error.message}` : String(answer.result)
const listOf = (answer: Answer): string[] =>
  'error' in answer ? [textOf(answer)] : [...(answer.result as string[])].sort()

interface CoinAnswer {
  readonly value: bigint
  readonly confirmations: number
  readonly coinbase: boolean
  /** btcd leaves an empty script out. */
  readonly scriptPubKey: { readonly hex?: string }
}
function coinText(answer: Answer | undefined): string {
  if (!answer) return 'no answer'
  if ('error' in answer) return textOf(answer)
  if (answer.result === null) return 'spent or unknown'
  const { value, confirmations, coinbase, scriptPubKey } = answer.result as CoinAnswer
  return `${value} ${scriptPubKey.hex ?? ''} ${coinbase} ${confirmations}`
}

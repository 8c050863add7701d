import type { Block } from '../chain/block.ts'
import { type ChainBase, genesisChain } from '../chain/chain.ts'
import type { Happening } from '../chain/happenings.ts'
import type { BlockNode } from '../chain/node.ts'
import { fundedChain } from '../chain/start.ts'
import type { Transaction } from '../chain/transaction.ts'
import { DevnetError, must } from '../failure.ts'
import type { Regtest } from '../powers/regtest.ts'
import { checkpoint } from './checkpoint.ts'
import { Log } from './log.ts'
import type { HomeRecord, LogRecord } from './records.ts'
import { blocksOf, replay } from './replay.ts'

/** State beside chain and mempool that is kept as a text, such as the wallets. It is written when the text has changed. */
export interface StatePart {
  /** Its name in the file. */
  readonly name: string
  readonly save: () => string
  /** Called once, before anything else happens, with what `save` gave last. Not called when there is nothing yet. */
  readonly load: (text: string) => void
}
/** State of many small texts, of which only those are written that have changed. */
export interface StateTable {
  readonly name: string
  /** Key and text of what changed since rows were last taken; undefined: all must be written. */
  readonly news: () => readonly (readonly [string, string])[] | undefined
  readonly all: () => readonly (readonly [string, string])[]
  /** Called once, before anything else happens, with the last text of every key. */
  readonly load: (rows: ReadonlyMap<string, string>) => void
}
export interface KeptState {
  readonly regtest: Regtest
  readonly parts: readonly StatePart[]
  readonly tables: readonly StateTable[]
  /** Transactions beside chain and mempool that the powers know. */
  readonly known: {
    readonly all: () => readonly Transaction[]
    readonly news: () => readonly Transaction[]
    readonly learn: (transaction: Transaction) => void
  }
}
export interface HomeOptions {
  readonly folder: string
  readonly fsync: boolean
  readonly seed?: string
  readonly start?: 'funded' | 'genesis'
  readonly verifySignatures?: boolean
  /** Seconds since the epoch, for the start chain of a new folder. */
  readonly now: number
}

/** Of the file format: a release reads its own and refuses others by name. */
export const FORMAT_VERSION = 2
/** The log is rewritten when it has grown by this and to thrice what it was after the last time. */
const REWRITE_BYTES = 16 * 1024 * 1024

/** Keeps a devnet in a folder: writes down what changed before anybody hears of it, and brings it back after an end of any kind. */
export class Keeper {
  readonly home: HomeRecord
  readonly base: ChainBase
  /** False when the folder was empty. */
  readonly found: boolean
  readonly #log: Log
  readonly #groups: (readonly LogRecord[])[]
  #state: KeptState | undefined
  #pending: LogRecord[] = []
  readonly #texts = new Map<string, string>()
  #tip = ''
  #marks = '[]'
  #pruned = 0
  #whole = false
  #scheduled = false
  #baseLength = 0

  /** @throws DevnetError DEVNET_STORAGE_LOCKED, _FORMAT, _DAMAGED, _MISMATCH. */
  constructor(options: HomeOptions) {
    this.#log = new Log(options.folder, options.fsync)
    try {
      const groups = this.#log.read()
      this.found = groups !== undefined
      this.#groups = [...(groups ?? [])]
      this.home = groups ? readHome(this.#log, groups, options) : newHome(options)
      this.base = startOf(this.home)
    } catch (error) {
      this.#log.close()
      throw error
    }
  }
  /** Told of every block and header that enters the tree. */
  readonly stored = (node: BlockNode, block: Block | undefined): void => {
    if (!this.#state) return
    const last = this.#pending.at(-1)
    const { bytes } = node.header
    // The header of a block comes first, and says nothing that the block does not.
    if (block && last?.kind === 'header' && last.bytes === bytes) this.#pending.pop()
    this.#pending.push(block ? { kind: 'block', raw: block.raw } : { kind: 'header', bytes })
    this.#soon()
  }

  /** Brings the state back and follows it from now on. @throws DevnetError DEVNET_STORAGE_DAMAGED. */
  begin(state: KeptState): void {
    const { regtest, known } = state
    if (this.found) this.#bringBack(state)
    known.news()
    this.#state = state
    this.#look(regtest)
    regtest.happenings.listen((happening) => this.#hear(happening))
    if (this.found) this.#baseLength = this.#log.length
    else this.#rewrite()
  }
  #bringBack({ regtest, known, parts, tables: ours }: KeptState): void {
    const groups = this.#groups.splice(0)
    try {
      const damaged = (what: string, cause?: unknown) => this.#log.damaged(what, cause)
      const { texts, tables, learned } = replay(groups, this.base, regtest, damaged)
      for (const transaction of learned) known.learn(transaction)
      for (const { name, load } of parts) {
        const text = texts.get(name)
        if (text !== undefined) load(text)
      }
      for (const [name, text] of texts) this.#texts.set(name, text)
      for (const { name, load } of ours) load(tables.get(name) ?? new Map())
    } catch (error) {
      this.#log.close()
      throw error
    }
  }
  #hear(happening: Happening): void {
    const { mempool } = must(this.#state, 'begun').regtest
    if (happening.kind === 'restored') this.#whole = true
    else if (happening.kind === 'transactionAdded') {
      const entry = mempool.pool.entries.get(happening.transaction.txid)
      if (entry) this.#pending.push({ kind: 'entered', entry })
    } else if (happening.kind === 'transactionRemoved') {
      this.#pending.push({ kind: 'left', txid: happening.transaction.txid })
    } else if (happening.kind === 'tipChanged') this.#moved(happening.node.hash)
    else return
    this.#soon()
  }
  /** Each step of the tip stands after the block it went to: a log that is read in this order never has to look far. */
  #moved(hash: string): void {
    if (hash === this.#tip) return
    this.#tip = hash
    this.#pending.push({ kind: 'tip', hash })
  }
  /** What another devnet or a timer did here is written in the same turn, without anybody asking. */
  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      try {
        if (this.#state) this.commit()
      } catch {
        // The log remembers that it is broken: the next call that must be kept fails by it.
      }
    })
  }

  /** Writes down what changed since the last time, as one group. @throws DevnetError DEVNET_STORAGE_FAILED. */
  commit(): void {
    const { regtest, known, parts, tables } = must(this.#state, 'begun')
    const { chain } = regtest
    this.#moved(chain.tip.hash)
    const group = this.#pending
    const marks = [...chain.failures]
    if (JSON.stringify(marks) !== this.#marks) group.push({ kind: 'marks', marks })
    if (chain.pruneHeight !== this.#pruned) {
      group.push({ kind: 'pruned', height: chain.pruneHeight })
    }
    for (const { raw } of known.news()) group.push({ kind: 'known', raw })
    for (const { name, save } of parts) {
      const text = save()
      if (text === this.#texts.get(name)) continue
      group.push({ kind: 'part', name, text })
      this.#texts.set(name, text)
    }
    for (const { name, news } of tables) {
      const rows = news()
      if (rows) for (const [key, text] of rows) group.push({ kind: 'row', table: name, key, text })
      else this.#whole = true
    }
    if (group.length === 0 && !this.#whole) return
    this.#pending = []
    this.#look(regtest)
    const limit = Math.max(this.#baseLength + REWRITE_BYTES, 3 * this.#baseLength)
    if (this.#whole || this.#log.length > limit) this.#rewrite()
    else this.#log.append(group)
  }
  /** Remembers where the chain stands, to see what changes. */
  #look({ chain }: Regtest): void {
    this.#tip = chain.tip.hash
    this.#marks = JSON.stringify([...chain.failures])
    this.#pruned = chain.pruneHeight
  }
  #rewrite(): void {
    const { regtest, known, parts, tables } = must(this.#state, 'begun')
    const old = (): ReadonlyMap<string, Uint8Array> => blocksOf(this.#log.again().groups)
    const texts = parts.map(({ name, save }) => ({ kind: 'part', name, text: save() }) as const)
    for (const { name, text } of texts) this.#texts.set(name, text)
    const records = checkpoint(this.base, regtest, old)
    const kept = known.all().map(({ raw }) => ({ kind: 'known', raw }) as const)
    const rows = tables.flatMap(({ name, all }) =>
      all().map(([key, text]) => ({ kind: 'row', table: name, key, text }) as const),
    )
    this.#log.replace([{ kind: 'home', home: this.home }, ...records, ...kept, ...texts, ...rows])
    this.#whole = false
    this.#baseLength = this.#log.length
  }
  /** Writes what is left and frees the folder. */
  close(): void {
    if (!this.#state) return
    try {
      this.commit()
    } finally {
      this.#state = undefined
      this.#log.close()
    }
  }
}

function newHome({ seed, start, verifySignatures, now }: HomeOptions): HomeRecord {
  const home = {
    format: 'kaccy-devnet',
    version: FORMAT_VERSION,
    network: 'regtest',
    seed: seed ?? 'devnet',
    start: start ?? 'funded',
    verifySignatures: verifySignatures ?? true,
  } as const
  const base = home.start === 'funded' ? fundedChain(now) : genesisChain()
  const tip = must(base.active.at(-1), 'a chain has a tip')
  return { ...home, startTime: tip.header.time, startHash: tip.hash }
}
function startOf(home: HomeRecord): ChainBase {
  const base = home.start === 'funded' ? fundedChain(home.startTime) : genesisChain()
  if (base.active.at(-1)?.hash === home.startHash) return base
  const text = `the start chain of this folder is ${home.startHash}, which this release does not build`
  throw new DevnetError('DEVNET_STORAGE_FORMAT', text)
}
/** The first record, checked against this release and against what the caller asked for. */
function readHome(
  log: Log,
  groups: readonly (readonly LogRecord[])[],
  asked: HomeOptions,
): HomeRecord {
  const first = groups[0]?.[0]
  if (first?.kind !== 'home') throw log.damaged('it does not begin with what it is')
  const { home } = first
  const refuse = (what: string) =>
    new DevnetError('DEVNET_STORAGE_FORMAT', `${log.path} holds ${what}`)
  if (home.format !== 'kaccy-devnet') throw refuse(`the format ${home.format}`)
  if (home.version !== FORMAT_VERSION) {
    throw refuse(`version ${home.version} of the format; this release reads ${FORMAT_VERSION}`)
  }
  if (home.network !== 'regtest') throw refuse(`a chain of ${home.network}, not of regtest`)
  for (const name of ['seed', 'start', 'verifySignatures'] as const) {
    if (asked[name] === undefined || asked[name] === home[name]) continue
    const text = `${log.path} has ${name} \`${home[name]}\`, not \`${asked[name]}\``
    throw new DevnetError('DEVNET_STORAGE_MISMATCH', text)
  }
  return home
}

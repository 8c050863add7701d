import { writeSync } from 'node:fs'
import type { Store } from '@kaccy/bitcoin'
import type { Broadcaster } from '@kaccy/bitcoin/broadcast'
import type { PsbtId, SpendId } from '@kaccy/bitcoin/kernel'
import type { Signer } from '@kaccy/bitcoin/signing'
import type { SpendRecord, VersionRecord } from '@kaccy/bitcoin/spending'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'

/** A moment of a process that has a name: before or after a commit, or an act outside. */
export interface FaultPoint {
  readonly point: string
  readonly moment: 'before' | 'after'
}

/** Where a process may die, by name. It dies by SIGKILL: nothing is written, closed or answered any more. */
export class Faults {
  #armed: readonly FaultPoint[] = []
  readonly #met = new Set<string>()

  arm(points: readonly FaultPoint[]): void {
    this.#armed = points
  }
  /** Every point that was passed, in the order in which each was passed first. */
  get met(): readonly string[] {
    return [...this.#met]
  }
  async reach(point: string, moment: FaultPoint['moment']): Promise<void> {
    this.#met.add(point)
    const armed = this.#armed.find((one) => one.point === point && one.moment === moment)
    if (!armed) return
    writeSync(1, `dying ${JSON.stringify(armed)}\n`)
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  }
}

type Rows = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>
type Note = (fact: string) => void
/** What the row doors of a payout say when they write: together these facts name the transaction. */
const DOORS: Readonly<Record<string, (tx: Tx, args: unknown[], note: Note) => Promise<void>>> = {
  'withdrawals.insert': async (_, __, note) => note('withdrawals.insert'),
  'withdrawals.save': async (_, [records], note) => {
    for (const { status, cancelAsked, waitsFor } of records as readonly WithdrawalRecord[]) {
      const waits = status === 'approved' && waitsFor !== undefined ? ' waiting' : ''
      note(`withdrawals.save ${status}${waits}${cancelAsked ? ' to be cancelled' : ''}`)
    }
  },
  'coins.lease': async (_, [leases], note) => {
    if ((leases as readonly unknown[]).length > 0) note('coins.lease')
  },
  'coins.release': async (_, __, note) => note('coins.release'),
  'spending.insertSpend': async (_, __, note) => note('spending.insertSpend'),
  'spending.saveSpend': async (tx, [spend], note) => noteSpend(tx, spend as SpendRecord, note),
  'spending.insertVersion': async (_, [version], note) =>
    note(`spending.insertVersion ${(version as VersionRecord).kind}`),
  'spending.saveVersion': async (tx, [version], note) =>
    noteVersion(tx, version as VersionRecord, note),
}
interface Tx {
  readonly spending: {
    spend(id: SpendId): Promise<SpendRecord | undefined>
    version(id: PsbtId): Promise<VersionRecord | undefined>
  }
}
async function noteSpend(tx: Tx, after: SpendRecord, note: Note): Promise<void> {
  const before = await tx.spending.spend(after.id)
  if (after.status !== before?.status) note(`spend ${after.status}`)
  if (after.bumpAt !== before?.bumpAt) note('spend to be bumped')
}
async function noteVersion(tx: Tx, after: VersionRecord, note: Note): Promise<void> {
  const before = await tx.spending.version(after.id)
  if (after.exposedAt !== before?.exposedAt) note('version exposed')
  if (after.claimedUntil !== before?.claimedUntil)
    note(`version ${after.claimedUntil === undefined ? 'given back' : 'claimed'}`)
  if (after.psbt.length !== before?.psbt.length) note('signatures saved')
  if (after.raw?.length !== before?.raw?.length) note('raw saved')
  if (after.status !== before?.status) note(`version ${after.status}`)
  if (after.sends !== before?.sends) note(`answer ${after.lastSend?.answer} saved`)
}

/** The store, whose transactions have names as soon as they write something of a payout. */
export function namedStore(store: Store, faults: Faults): Store {
  return {
    ...store,
    transact: async (work) => {
      const facts = new Set<string>()
      const made = await store.transact(async (tx) => {
        facts.clear()
        const done = await work(watched(tx, (fact) => facts.add(fact)))
        if (facts.size > 0) await faults.reach(nameOf(facts), 'before')
        return done
      })
      if (facts.size > 0) await faults.reach(nameOf(facts), 'after')
      return made
    },
  }
}
const nameOf = (facts: ReadonlySet<string>): string => [...facts].join(', ')

function watched<T extends Tx>(tx: T, note: Note): T {
  const areas = new Map<string | symbol, unknown>()
  return new Proxy(tx, {
    get(target, area) {
      if (!areas.has(area)) areas.set(area, watchedRows(target, String(area), note))
      return areas.get(area)
    },
  })
}
function watchedRows(tx: Tx, area: string, note: Note): unknown {
  const rows: Rows | undefined = Reflect.get(tx, area)
  if (rows === undefined) return rows
  const around: Record<string, unknown> = {}
  for (const [name, door] of Object.entries(rows)) {
    const tell = DOORS[`${area}.${name}`]
    around[name] = tell
      ? async (...args: unknown[]) => {
          await tell(tx, args, note)
          return door(...args)
        }
      : door
  }
  return around
}

/** A signer that a process may die before it asks, and after the answer came. */
export const namedSigner = (signer: Signer, faults: Faults): Signer => ({
  name: signer.name,
  async sign(request) {
    await faults.reach(`ask ${signer.name}`, 'before')
    const answer = await signer.sign(request)
    await faults.reach(`ask ${signer.name}`, 'after')
    return answer
  },
})
/** A broadcaster that a process may die before it sends, and after the node has answered. */
export const namedBroadcaster = (broadcaster: Broadcaster, faults: Faults): Broadcaster => ({
  ...broadcaster,
  async send(token, maxRate) {
    await faults.reach('send', 'before')
    const answer = await broadcaster.send(token, maxRate)
    await faults.reach('send', 'after')
    return answer
  },
})

import type { PsbtId } from '../../kernel/index.ts'
import { type LookFault, type LookToken, lastLook } from '../../protocol/last-look/index.ts'
import {
  descriptorOf,
  expectationOf,
  type SpendingTx,
  type SpendRecord,
  tipOf,
  type VersionRecord,
} from '../spending/index.ts'
import { claimDue, isSendable } from './claim.ts'
import type { BroadcastOptions } from './options.ts'
import { withSlack } from './policy.ts'
import type { Broadcaster, SendAnswer } from './ports.ts'
import { recordAnswer, recordFault } from './record.ts'

/** What one pass did: how many bytes were offered, and what was answered. */
export type SendReport = Readonly<Record<SendAnswer['answer'] | 'held_back', number>>

/** Publishing. The only place from which signed bytes leave. */
export interface Broadcast {
  /** Offers everything that is due, each in its own right: one that fails holds up no other. */
  sendDue(): Promise<SendReport>
  /** Makes one due now: after a person has looked at an alert. False when there is nothing to send. */
  sendSoon(id: PsbtId): Promise<boolean>
}

export function createBroadcast<Tx extends SpendingTx>(options: BroadcastOptions<Tx>): Broadcast {
  return {
    async sendDue() {
      const report = { accepted: 0, already_known: 0, refused: 0, unknown: 0, held_back: 0 }
      // The intent is committed before the act: whoever dies now leaves a claim that ends by itself.
      const failures: unknown[] = []
      for (const id of await claimDue(options))
        try {
          report[await sendOne(options, id)] += 1
        } catch (error) {
          // The others are not held up; its claim ends by itself, and the same bytes are sent again.
          failures.push(error)
        }
      if (failures.length > 0) throw failures[0]
      return report
    },
    sendSoon: (id) =>
      options.store.transact(async (tx) => {
        const found = await tx.spending.version(id)
        if (!found) return false
        await tx.spending.lockSpends([found.spend])
        const version = await tx.spending.version(id)
        if (!version || !isSendable(version)) return false
        await tx.spending.saveVersion({ ...version, nextAt: options.clock.now() })
        return true
      }),
  }
}

interface Prepared {
  readonly spend: SpendRecord
  readonly version: VersionRecord
  /** Parents first, the version itself last. */
  readonly tokens: readonly LookToken[]
}
interface Faulty {
  readonly faults: string
  /** Only its lock time is not reached: a reorganisation took the block that it was planned on, and the next ones bring it back. */
  readonly isEarly: boolean
}
type Looked = Prepared | Faulty

async function sendOne<Tx extends SpendingTx>(
  options: BroadcastOptions<Tx>,
  id: PsbtId,
): Promise<keyof SendReport> {
  const { store, broadcaster } = options
  const looked = await store.read((tx) => lookAgain(options, tx, id))
  if (!looked) return 'held_back'
  if ('faults' in looked) {
    await store.transact((tx) => recordFault(options, tx, id, looked))
    return 'held_back'
  }
  const { version, tokens } = looked
  const answer = await offer(broadcaster, version, tokens)
  await store.transact((tx) => recordAnswer(options, tx, id, answer))
  return answer.answer
}

/** Alone first; together with its parents where it cannot enter without them, or they without it. */
async function offer(
  broadcaster: Broadcaster,
  version: VersionRecord,
  tokens: readonly LookToken[],
): Promise<SendAnswer> {
  const token = tokens.at(-1)
  if (!token) return { answer: 'unknown', reason: 'nothing to send' }
  const alone = await broadcaster.send(token, withSlack(version.maxRate))
  const isDecided = alone.answer !== 'refused' || alone.verdict === 'never'
  if (isDecided || tokens.length === 1) return alone
  return (await broadcaster.sendPackage?.(tokens)) ?? alone
}

/** Undefined when it is no longer to be sent. */
async function lookAgain<Tx extends SpendingTx>(
  options: BroadcastOptions<Tx>,
  tx: Tx,
  id: PsbtId,
): Promise<Looked | undefined> {
  const version = await tx.spending.version(id)
  if (!version || !isSendable(version)) return undefined
  const spend = await tx.spending.spend(version.spend)
  if (spend?.status !== 'open') return undefined
  const tokens: LookToken[] = []
  for (const one of [...(await parentsOf(tx, version)), version]) {
    const token = await tokenFor(options, tx, one)
    // A parent that does not pass is not sent; the child then goes alone, or not at all.
    if ('faults' in token && one.id === id) return token
    if (!('faults' in token)) tokens.push(token.token)
  }
  return { spend, version, tokens }
}

/** Our own transactions that made coins of this one and are not mined yet. Only direct ones: nodes take no deeper packages. */
async function parentsOf(
  tx: SpendingTx,
  version: VersionRecord,
): Promise<readonly VersionRecord[]> {
  const txids = [...new Set(version.transaction.inputs.map(({ txid }) => txid))]
  const views = new Map((await tx.deposits.transactions(txids)).map((one) => [one.txid, one.view]))
  const parents: VersionRecord[] = []
  for (const txid of txids) {
    if (views.get(txid)?.state === 'mined') continue
    const parent = await tx.spending.versionByTxid(txid)
    if (parent && isSendable(parent)) parents.push(parent)
  }
  return parents
}

/** The last look at the stored bytes, by code that knows nothing of how they were made. */
async function tokenFor<Tx extends SpendingTx>(
  { owners, network }: BroadcastOptions<Tx>,
  tx: Tx,
  version: VersionRecord,
): Promise<{ readonly token: LookToken } | Faulty> {
  const spend = await tx.spending.spend(version.spend)
  if (!spend || version.raw === undefined)
    return { faults: 'there are no final bytes', isEarly: false }
  const expected = await expectationOf(tx, {
    spend,
    version,
    descriptor: await descriptorOf(tx, network, spend.wallet),
    owed: (await owners[spend.purpose]?.owed(tx, version)) ?? [],
    tip: await tipOf(tx),
  })
  if (!expected) return { faults: 'a coin is not leased to this spend', isEarly: false }
  const looked = lastLook(version.raw, expected)
  if (looked.ok) return { token: looked.value }
  return { faults: wordsOf(looked.error), isEarly: looked.error.every(isEarly) }
}
/** Not final yet, in words that no other fault has: another lock time than was planned never becomes right. */
const isEarly = ({ reason, details }: LookFault): boolean =>
  reason === 'locktime' && details['height'] !== undefined
const wordsOf = (faults: readonly LookFault[]): string =>
  faults.map(({ reason, message }) => `${reason}: ${message}`).join('; ')

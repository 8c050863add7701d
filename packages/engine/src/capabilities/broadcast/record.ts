import type { Entropy, PsbtId } from '../../kernel/index.ts'
import {
  emptyTrail,
  nextVersion,
  type SpendingTx,
  type SpendRecord,
  type Trail,
  tellOwner,
  tellVersion,
  tipOf,
  type VersionRecord,
  writeTrail,
} from '../spending/index.ts'
import type { BroadcastOptions } from './options.ts'
import { EARLY_MS, pauseAfter } from './policy.ts'
import type { SendAnswer } from './ports.ts'

/**
 * Writes down what a node said. No answer frees anything: an unknown one has the same bytes sent again, a refusal has them sent again,
 * replaced by a version that conflicts, or looked at by a person. That inputs are missing proves nothing: they are missing also
 * when this very transaction is mined and its outputs are spent (W5).
 */
export async function recordAnswer<Tx extends SpendingTx>(
  options: BroadcastOptions<Tx>,
  tx: Tx,
  id: PsbtId,
  answer: SendAnswer,
): Promise<void> {
  const { clock, entropy, tally } = options
  const at = clock.now()
  const held = await lockVersion(tx, id)
  if (!held) return
  const { spend, version } = held
  const sends = version.sends + 1
  const isTaken = answer.answer === 'accepted' || answer.answer === 'already_known'
  const status = (isTaken ? nextVersion(version.status, 'sent') : undefined) ?? version.status
  const { nextAt: _, claimedUntil: __, ...rest } = version
  const isOver = spend.status !== 'open' || status === 'confirmed' || status === 'replaced'
  const pause = isOver ? undefined : pauseAfter(answer, sends, chance(entropy))
  const after: VersionRecord = {
    ...rest,
    status,
    sends,
    lastSend: {
      answer: answer.answer,
      at,
      ...('reason' in answer ? { reason: answer.reason } : {}),
    },
    ...(pause === undefined ? {} : { nextAt: at + pause }),
    updatedAt: at,
  }
  await tx.spending.saveVersion(after)
  tally?.of(tx).count('kaccy_broadcasts_total', 1, { answer: answer.answer })
  const trail = emptyTrail()
  if (status !== version.status)
    tellVersion(trail, { spend, version: after, type: 'psbt.broadcast', actor: 'engine' })
  const next = await afterRefusal(tx, spend, after, answer, trail, at)
  const versions = await quietOthers(tx, spend, after, isTaken)
  if (status !== version.status || next !== spend)
    await tellOwner(
      { tx, owners: options.owners, at, tip: await tipOf(tx), trail },
      spend,
      next,
      versions,
    )
  await writeTrail(tx, at, trail)
}

async function lockVersion(tx: SpendingTx, id: PsbtId) {
  const found = await tx.spending.version(id)
  const [spend] = found ? await tx.spending.lockSpends([found.spend]) : []
  const version = await tx.spending.version(id)
  return spend && version ? { spend, version } : undefined
}
const chance = (entropy: Entropy): number => (entropy.bytes(1)[0] ?? 0) / 255

/** While the current version is out, offering an older one would only be refused. */
async function quietOthers(
  tx: SpendingTx,
  spend: SpendRecord,
  sent: VersionRecord,
  isTaken: boolean,
): Promise<readonly VersionRecord[]> {
  const versions = await tx.spending.versionsOf([spend.id])
  if (!isTaken || sent.id !== spend.current) return versions
  const quiet: VersionRecord[] = []
  for (const version of versions) {
    const { nextAt, ...rest } = version
    const isOlder = version.id !== sent.id && nextAt !== undefined && version.raw !== undefined
    if (isOlder) await tx.spending.saveVersion(rest)
    quiet.push(isOlder ? rest : version)
  }
  return quiet
}

/** People learn of refusals that time does not cure; a fee that is too low is a bump that is due. */
async function afterRefusal(
  tx: SpendingTx,
  spend: SpendRecord,
  version: VersionRecord,
  answer: SendAnswer,
  trail: Trail,
  at: number,
): Promise<SpendRecord> {
  if (answer.answer !== 'refused' || answer.verdict === 'retry_same') return spend
  alert(trail, version, answer.verdict === 'replace' ? 'warning' : 'critical', answer.reason, {
    verdict: answer.verdict,
  })
  if (answer.verdict !== 'replace' || version.id !== spend.current) return spend
  const next = { ...spend, bumpAt: at, updatedAt: at }
  await tx.spending.saveSpend(next)
  return next
}

/**
 * The stored bytes did not pass the last look: they are never sent, and a person has to explain them. Those that are only early
 * come again by themselves.
 */
export async function recordFault<Tx extends SpendingTx>(
  { clock }: BroadcastOptions<Tx>,
  tx: Tx,
  id: PsbtId,
  { faults, isEarly }: { readonly faults: string; readonly isEarly: boolean },
): Promise<void> {
  const at = clock.now()
  const held = await lockVersion(tx, id)
  if (!held) return
  const { nextAt: _, claimedUntil: __, ...rest } = held.version
  const reason = `last look: ${faults}`.slice(0, 1000)
  const version: VersionRecord = {
    ...rest,
    lastSend: { answer: 'refused', reason, at },
    ...(isEarly ? { nextAt: at + EARLY_MS } : {}),
    updatedAt: at,
  }
  await tx.spending.saveVersion(version)
  if (isEarly) return
  const trail = emptyTrail()
  alert(trail, version, 'critical', reason, { verdict: 'never_sent' })
  trail.audits.push({
    actor: 'engine',
    action: 'psbt.held_back',
    subject: id,
    details: { spend: version.spend, wallet: version.wallet, reason },
  })
  await writeTrail(tx, at, trail)
}

function alert(
  trail: Trail,
  version: VersionRecord,
  severity: 'warning' | 'critical',
  reason: string,
  data: { readonly verdict: string },
): void {
  trail.alerts.push({
    key: `broadcast_refused/${version.id}/${data.verdict}`,
    kind: 'broadcast_refused',
    severity,
    subject: version.id,
    message: `Version ${version.number} of spend ${version.spend} was not taken: ${reason}`.slice(
      0,
      500,
    ),
    data: { wallet: version.wallet, spend: version.spend, psbt: version.id, ...data },
  })
}

import {
  assert,
  type Clock,
  type Entropy,
  type Logger,
  type Metrics,
  type PsbtId,
} from '../../kernel/index.ts'
import { raiseAlerts } from '../alerts/index.ts'
import type { VersionRecord } from '../spending/index.ts'
import type { WalletRecord } from '../wallet/index.ts'
import { approvalsOf } from './approvals.ts'
import type { SigningReport } from './ports.ts'
import { grant } from './grant.ts'
import type { ReceiptKey } from './receipt.ts'
import { type Holder, holding, type Step, stepped, waitsForSignatures } from './session.ts'
import type { Signer, SigningAnswer, SigningRequest } from './signer.ts'
import { takeIn } from './take.ts'

/** Versions that one turn asks for. */
const AT_ONCE = 20
/** A process that died while it asked is taken over after this long; longer than any signer may take. */
const CLAIM_MS = 5 * 60_000
/** How long a receipt counts. */
const RECEIPT_MS = 15 * 60_000
/** After no answer, or a signer that is not ready. */
const SOON_MS = 30_000
/** After a signer said no: people have been told. */
const LATER_MS = 15 * 60_000

export interface AskingOptions extends Holder {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly logger: Logger
  readonly metrics: Metrics
  /** Who signs for a wallet, in the order in which they are asked; none where people bring signatures. */
  readonly signersOf: (wallet: WalletRecord) => readonly Signer[]
  /** Without one no signer is asked. */
  readonly receiptKey?: ReceiptKey
}

/** What a claimed version is asked with. */
interface Claimed {
  readonly version: VersionRecord
  readonly signers: readonly Signer[]
  readonly receipt: string
}

/**
 * Asks the signers of everything that waits for them. Before a signer sees a transaction, a commit says that it was shown: whatever
 * becomes of the answer, from then on only a conflicting spend undoes what it pays.
 */
export async function signDue(options: AskingOptions): Promise<SigningReport> {
  const { store, clock, receiptKey } = options
  const report = { asked: 0, signed: 0, refused: 0, unknown: 0 }
  if (!receiptKey) return report
  const due = await store.read((tx) =>
    tx.spending.dueVersions(['created', 'partially_signed'], clock.now(), AT_ONCE),
  )
  for (const { id } of due) {
    const claimed = await claim(options, receiptKey, id)
    if (!claimed) continue
    report.asked += 1
    report[await askAll(options, claimed)] += 1
  }
  return report
}

async function claim(
  { store, clock, entropy, owners, signersOf }: AskingOptions,
  key: ReceiptKey,
  id: PsbtId,
): Promise<Claimed | undefined> {
  const at = clock.now()
  const made = await store.transact((tx) =>
    holding(tx, id, at, async (held) => {
      const { spend, version } = held
      const nothing = { ok: true, value: undefined } as const
      if (!waitsForSignatures(version, spend).ok || (version.claimedUntil ?? 0) > at) return nothing
      const wallet = await tx.wallet.wallet(spend.wallet)
      assert(wallet, `${spend.id} without its wallet`)
      const signers = signersOf(wallet)
      const approvals = await approvalsOf(tx, version)
      if (signers.length === 0 || !approvals.complete) {
        // Whoever approves, or brings signatures, makes it go on; a signer may be given to this process, or another one has it.
        const later: Step = approvals.complete
          ? { changes: { nextAt: at + LATER_MS }, actor: 'engine' }
          : { ends: ['nextAt'], actor: 'engine' }
        await stepped(held, owners, later)
        return nothing
      }
      const receipt = await grant(held, { owners, entropy, key, approvals, forMs: RECEIPT_MS })
      const changes = {
        exposedAt: version.exposedAt ?? at,
        claimedUntil: at + CLAIM_MS,
        nextAt: at + CLAIM_MS,
      }
      const next = await stepped(held, owners, { changes, actor: 'engine' })
      return { ok: true, value: { version: next, signers, receipt } }
    }),
  )
  return made.ok ? made.value : undefined
}

/** One signer after the other until the transaction is complete. */
async function askAll(
  options: AskingOptions,
  { version: first, signers, receipt }: Claimed,
): Promise<'signed' | 'refused' | 'unknown'> {
  const { clock, network } = options
  let version = first
  let worst: 'signed' | 'refused' | 'unknown' = 'signed'
  for (const signer of signers) {
    if (version.raw) break
    const request = { psbt: version.id, network, bytes: version.psbt, receipt }
    const answer = await asked(options, signer, request)
    if (answer.answer !== 'signed') {
      worst = worst === 'unknown' ? worst : answer.answer
      await note(options, version, signer, answer)
      continue
    }
    const taken = await takeIn(options, {
      id: version.id,
      bytes: answer.bytes,
      actor: `signer:${signer.name}`,
      at: clock.now(),
    })
    if (taken.ok) version = taken.value.version
    else {
      worst = 'refused'
      const { code, message } = taken.error
      await note(options, version, signer, { answer: 'refused', reason: code, detail: message })
    }
  }
  await release(options, version, worst)
  return worst
}

async function asked(
  { logger, metrics }: AskingOptions,
  signer: Signer,
  request: SigningRequest,
): Promise<SigningAnswer> {
  const answer = await signer.sign(request)
  metrics.count('kaccy_signer_answers_total', 1, { signer: signer.name, answer: answer.answer })
  if (answer.answer !== 'signed')
    logger.log('warn', 'a signer did not sign', {
      signer: signer.name,
      psbt: request.psbt,
      answer: answer.answer,
      reason: answer.reason,
    })
  return answer
}

/** People learn of a no; of silence only the log does, because it is asked again. */
async function note(
  { store, clock }: AskingOptions,
  version: VersionRecord,
  signer: Signer,
  answer: {
    readonly answer: 'refused' | 'unknown'
    readonly reason: string
    readonly detail?: string
  },
): Promise<void> {
  if (answer.answer === 'unknown') return
  const at = clock.now()
  await store.transact((tx) =>
    raiseAlerts(tx, at, [
      {
        key: `signer_refused/${version.id}/${signer.name}/${answer.reason}`,
        kind: 'signer_refused',
        severity: 'critical',
        subject: version.id,
        message: `${signer.name} does not sign ${version.id}: ${answer.detail ?? answer.reason}`,
        data: {
          psbt: version.id,
          signer: signer.name,
          reason: answer.reason,
          wallet: version.wallet,
        },
      },
    ]),
  )
}

/** The claim ends; what is not complete is asked for again. */
async function release(
  { store, clock, owners }: AskingOptions,
  { id }: VersionRecord,
  worst: 'signed' | 'refused' | 'unknown',
): Promise<void> {
  const at = clock.now()
  await store.transact((tx) =>
    holding(tx, id, at, async (held) => {
      const isOpen = waitsForSignatures(held.version, held.spend).ok
      const pause = worst === 'refused' ? LATER_MS : SOON_MS
      const changes = isOpen ? { nextAt: at + pause } : {}
      await stepped(held, owners, { changes, ends: ['claimedUntil'], actor: 'engine' })
      return { ok: true, value: undefined } as const
    }),
  )
}

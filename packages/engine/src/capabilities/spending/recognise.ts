import { outPointKey, type SpendId, type WalletId, type Txid } from '../../kernel/index.ts'
import { decodeTransaction, txidOf } from '../../protocol/transaction/index.ts'
import type { TxRecord } from '../deposits/index.ts'
import { createFollow } from './follow.ts'
import { hasInputsOf, isMalleable } from './judge.ts'
import { type SpendingOptions, tipOf } from './options.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'
import { isProven } from './previous.ts'
import type { SpendingTx } from './transaction.ts'

const PAGE = 100

interface Suspect {
  readonly record: TxRecord
  readonly versions: readonly VersionRecord[]
}

/**
 * Signatures of legacy inputs are part of the id, so a version may be on the chain under an id that only its signer knew, or that
 * somebody made by changing the form of a signature (Mt. Gox). Transactions with the inputs of such a version are read from
 * the node; the one that is it without its signatures is that version from then on.
 * @returns how many versions were recognised
 */
export async function recognise<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
): Promise<number> {
  let after: SpendId | undefined
  let found = 0
  for (;;) {
    const { suspects, last, isLast } = await options.store.read((tx) => suspectsIn(tx, after))
    for (const suspect of suspects) if (await adopt(options, suspect)) found += 1
    after = last
    if (isLast) return found
  }
}

async function legacyAmong(
  tx: SpendingTx,
  spends: readonly SpendRecord[],
): Promise<ReadonlySet<WalletId>> {
  const legacy = new Set<WalletId>()
  for (const id of new Set(spends.map(({ wallet }) => wallet)))
    if ((await tx.wallet.wallet(id))?.descriptor.startsWith('pkh(')) legacy.add(id)
  return legacy
}

async function suspectsIn(tx: SpendingTx, after: SpendId | undefined) {
  const page = await tx.spending.liveSpends(after, PAGE)
  const wallets = await legacyAmong(tx, page)
  // Versions are read with their bytes, every turn: only of wallets whose ids can surprise us.
  const doubtful = page.filter(({ wallet }) => wallets.has(wallet)).map(({ id }) => id)
  const all = doubtful.length === 0 ? [] : await tx.spending.versionsOf(doubtful)
  const legacy = all.filter(isMalleable)
  const points = legacy.flatMap(({ transaction }) =>
    transaction.inputs.map(({ txid, vout }) => ({ txid, vout })),
  )
  const ours = new Set(all.map(({ txid }) => txid))
  const unique = new Map(points.map((point) => [outPointKey(point), point]))
  const spenders = unique.size === 0 ? [] : await tx.deposits.spendersOf([...unique.values()])
  const suspects = spenders.flatMap((record): readonly Suspect[] => {
    const versions = legacy.filter((version) => hasInputsOf(record, version))
    const isKnown = ours.has(record.txid) || record.view.state === 'gone'
    return isKnown || versions.length === 0 ? [] : [{ record, versions }]
  })
  return { suspects, last: page.at(-1)?.id, isLast: page.length < PAGE }
}

async function adopt<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  { record, versions }: Suspect,
): Promise<boolean> {
  const { txid, view } = record
  const block = view.state === 'mined' ? view.block : undefined
  const raw = await options.source.transaction?.(txid, block)
  const hash = raw && isProven(raw, txid) ? unsignedId(raw) : undefined
  const version = versions.find((one) => one.hash === hash)
  if (!version || !raw) return false
  await options.store.transact(async (tx) => {
    const [spend] = await tx.spending.lockSpends([version.spend])
    const fresh = await tx.spending.version(version.id)
    if (!spend || !fresh || fresh.txid === txid) return
    const at = options.clock.now()
    await tx.spending.saveVersion({ ...fresh, txid, raw, updatedAt: at })
    await createFollow(options).lookAt(tx, [spend.id], await tipOf(tx), at)
  })
  return true
}

/** The id of the transaction as it was before anybody signed it. */
function unsignedId(raw: Uint8Array): Txid | undefined {
  const decoded = decodeTransaction(raw)
  if (!decoded.ok) return undefined
  const { value } = decoded
  const inputs = value.inputs.map((input) => ({ ...input, script: new Uint8Array(), witness: [] }))
  return txidOf({ ...value, inputs })
}

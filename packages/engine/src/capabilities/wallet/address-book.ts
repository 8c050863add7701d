import { ok, type Refusal, type Result, refuse, type WalletId } from '../../kernel/index.ts'
import { parseAddress } from '../../protocol/address/index.ts'
import { walletNotFound } from './administration.ts'
import {
  checkLabel,
  formatLabels,
  type Label,
  labelOfAddress,
  labelRecord,
  parseLabels,
  type SkippedLine,
} from './labels.ts'
import type { AddressRecord, LabelRecord, WalletRows } from './ports.ts'
import { type WalletDeps, writeDown } from './registration.ts'

/** Label records of one statement. */
const PAGE = 500

export interface LabelImport {
  readonly imported: number
  readonly skipped: readonly SkippedLine[]
}

/**
 * Takes a label file of another wallet into the address book (BIP 329). Every record is kept as it came, whatever its type;
 * records of our addresses also label the address. All in one commit; a repeated import changes nothing.
 */
export async function importLabels(
  { store, clock, network }: WalletDeps,
  id: WalletId,
  text: string,
  actor: string,
): Promise<Result<LabelImport, Refusal<'WALLET_NOT_FOUND' | 'WALLET_LABELS_TOO_LARGE'>>> {
  const parsed = parseLabels(text)
  if (!parsed.ok) return parsed
  const records = new Map<string, { readonly record: LabelRecord; readonly label: Label }>()
  for (const label of parsed.value.labels) {
    const record = labelRecord(id, label)
    // The last of two records for one place is the newer, and stands where it stood.
    const place = `${record.type} ${record.ref}`
    records.delete(place)
    records.set(place, { record, label })
  }
  const answer = { imported: records.size, skipped: parsed.value.skipped }
  return store.transact(async (tx) => {
    const wallet = await tx.wallet.lockWallet(id)
    if (!wallet) return walletNotFound(id)
    const all = [...records.values()]
    for (let from = 0; from < all.length; from += PAGE) {
      const part = all.slice(from, from + PAGE)
      await tx.wallet.saveLabels(part.map(({ record }) => record))
      const scripts = part.flatMap(({ label }) => scriptOf(label, network) ?? [])
      await labelAddresses(tx.wallet, id, scripts)
    }
    await writeDown(
      tx,
      clock.now(),
      actor,
      'wallet.labels_imported',
      'wallet.import_labels',
      wallet,
      {
        imported: answer.imported,
        skipped: answer.skipped.length,
      },
    )
    return ok(answer)
  })
}

interface ScriptLabel {
  readonly address: string
  readonly script: Uint8Array
  readonly text: string
}
function scriptOf(
  { type, ref, label }: Label,
  network: WalletDeps['network'],
): ScriptLabel | undefined {
  if (type !== 'addr' || label === undefined || label.trim() === '') return undefined
  const address = parseAddress(ref, network)
  if (!address.ok) return undefined
  return { address: address.value.text, script: address.value.script, text: label }
}

async function labelAddresses(
  rows: WalletRows,
  wallet: WalletId,
  labels: readonly ScriptLabel[],
): Promise<void> {
  if (labels.length === 0) return
  const texts = new Map(labels.map(({ address, text }) => [address, text]))
  const scripts = labels.map(({ script }) => script)
  const mine = (found: readonly AddressRecord[]) => found.filter((row) => row.wallet === wallet)
  const branches = new Set(mine(await rows.addressesByScripts(scripts)).map((row) => row.branch))
  if (branches.size === 0) return
  for (const branch of [...branches].sort((a, b) => a - b)) await rows.lockKeychain(wallet, branch)
  // Read again under the locks, so that no reveal in between is written over.
  const changed = mine(await rows.addressesByScripts(scripts)).flatMap((row) => {
    const label = texts.get(row.address)
    return label === undefined || label === row.label ? [] : [{ ...row, label }]
  })
  if (changed.length > 0) await rows.saveAddresses(changed)
}

/** The whole address book as a label file. Source: BIP 329. */
export async function exportLabels(
  { store }: Pick<WalletDeps, 'store'>,
  id: WalletId,
): Promise<Result<string, Refusal<'WALLET_NOT_FOUND'>>> {
  return store.read(async (tx) => {
    if (!(await tx.wallet.wallet(id))) return walletNotFound(id)
    return ok(formatLabels(await allLabels(tx.wallet, id)))
  })
}

export async function allLabels(rows: WalletRows, id: WalletId): Promise<readonly LabelRecord[]> {
  const all: LabelRecord[] = []
  for (;;) {
    const last = all.at(-1)
    const page = await rows.labels(id, last && { type: last.type, ref: last.ref }, PAGE)
    all.push(...page)
    if (page.length < PAGE) return all
  }
}

/** Labels one address of the wallet; an empty text takes the label away. */
export async function labelAddress(
  { store }: Pick<WalletDeps, 'store'>,
  place: { readonly wallet: WalletId; readonly branch: number; readonly index: number },
  text: string,
): Promise<Result<AddressRecord, Refusal<'WALLET_ADDRESS_UNKNOWN' | 'WALLET_LABEL_INVALID'>>> {
  const label = text === '' ? ok(undefined) : checkLabel(text)
  if (!label.ok) return label
  return store.transact(async (tx) => {
    await tx.wallet.lockKeychain(place.wallet, place.branch)
    const row = await tx.wallet.address(place.wallet, place.branch, place.index)
    if (!row)
      return refuse('WALLET_ADDRESS_UNKNOWN', 'the wallet has no such address', {
        param: 'address',
        details: { ...place },
      })
    const { label: _label, ...bare } = row
    const next: AddressRecord = label.value === undefined ? bare : { ...bare, label: label.value }
    await tx.wallet.saveAddresses([next])
    await tx.wallet.saveLabels([labelOfAddress(row.wallet, row.address, label.value)])
    return ok(next)
  })
}

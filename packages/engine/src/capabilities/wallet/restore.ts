import {
  assert,
  type OrderId,
  ok,
  type Refusal,
  type Result,
  refuse,
  type WalletId,
} from '../../kernel/index.ts'
import { allLabels } from './address-book.ts'
import { walletNotFound } from './administration.ts'
import { openDescriptor, readKeys, type ScriptSource } from './derivation.ts'
import { noteGap } from './gap.ts'
import { labelRecord, parseLabels } from './labels.ts'
import { createScriptPool } from './pool.ts'
import type { AddressRecord, KeychainRecord, WalletRecord, WalletRows } from './ports.ts'
import { formatRecovery, parseRecovery, type Recovery } from './recovery.ts'
import {
  readSettings,
  register,
  type WalletDeps,
  type WalletTx,
  writeDown,
} from './registration.ts'
import { growWindow, type WatchedScript } from './window.ts'

const PAGE = 1_000
/** Most indexes of one branch that a file may ask to watch: more is no shop but an attack on memory. */
const MAX_INDEX = 2_000_000

/** Writes the recovery file of a wallet from one snapshot. Audited: who has it sees every payment, and can spend none. */
export async function exportRecovery(
  deps: WalletDeps,
  id: WalletId,
  actor: string,
): Promise<Result<string, Refusal<'WALLET_NOT_FOUND'>>> {
  const recovery = await deps.store.read((tx) => readRecovery(tx.wallet, id))
  if (!recovery) return walletNotFound(id)
  await deps.store.transact(async (tx) => {
    const wallet = await tx.wallet.wallet(id)
    assert(wallet, `wallet ${id} is gone`)
    const details = { orders: recovery.orders.length, labels: recovery.labels.length }
    await writeDown(
      tx,
      deps.clock.now(),
      actor,
      'wallet.recovery_exported',
      'wallet.export_recovery',
      wallet,
      details,
    )
  })
  return ok(formatRecovery(recovery))
}

async function readRecovery(rows: WalletRows, id: WalletId): Promise<Recovery | undefined> {
  const wallet = await rows.wallet(id)
  if (!wallet) return undefined
  const branches = (await rows.keychains(id)).map(({ branch, nextIndex, lastUsed, reach }) => ({
    branch,
    nextIndex,
    lastUsed,
    reach,
  }))
  const orders: Recovery['orders'][number][] = []
  let after: { wallet: WalletId; branch: number; index: number } | undefined
  for (;;) {
    const page = await rows.listAddresses({
      wallet: id,
      state: 'revealed',
      ...(after ? { after } : {}),
      limit: PAGE,
    })
    for (const { order, branch, index, address } of page)
      if (order !== undefined) orders.push({ order, branch, index, address })
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    after = { wallet: id, branch: last.branch, index: last.index }
  }
  const { network, name, descriptor, status, gapLimit, lookahead, birthday } = wallet
  const labels = (await allLabels(rows, id)).map(({ json }) => json)
  return {
    network,
    name,
    descriptor,
    status,
    gapLimit,
    lookahead,
    birthday,
    branches,
    orders,
    labels,
  }
}

export interface Restored {
  readonly wallet: WalletRecord
  /** False when the keys were registered already and only took up what the file knew more. */
  readonly created: boolean
}

/**
 * Registers the wallet of a recovery file: every index it had handed out is watched and none is handed out again,
 * labels and order references return, and the blocks since its birthday are read again. Into a wallet with the same
 * keys it only adds. Refuses changed files, private keys, another network and addresses that are not the descriptor's.
 */
export async function restoreRecovery(
  deps: WalletDeps,
  text: string,
  actor: string,
): Promise<Result<Restored, Refusal>> {
  const parsed = parseRecovery(text)
  if (!parsed.ok) return parsed
  const recovery = parsed.value
  const settings = readSettings(deps.network, recovery)
  if (!settings.ok) return settings
  const keys = readKeys({ descriptor: recovery.descriptor, allowFixed: true }, deps.network)
  if (!keys.ok) return keys
  const fault = contentFault(recovery, openDescriptor(keys.value.descriptor, deps.network))
  if (fault)
    return refuse('WALLET_RECOVERY_INVALID', `the recovery file ${fault}`, { param: 'recovery' })
  const { descriptor } = keys.value
  const registered = await register(deps, settings.value, descriptor, recovery.branches, actor)
  // The same keys under another name or with other settings are the same wallet: it keeps its own.
  const existing = await deps.store.read((tx) => tx.wallet.walletByDescriptor(descriptor))
  if (!registered.ok && !existing) return registered
  const id = registered.ok ? registered.value.wallet.id : existing?.id
  assert(id !== undefined, 'a registered wallet has an id')
  const created = registered.ok && registered.value.created
  const { wallet, watched } = await deps.store.transact((tx) =>
    takeUp(tx, deps, id, recovery, actor),
  )
  if (watched.length > 0) deps.onWatched?.(watched)
  return ok({ wallet, created })
}

/** Whether branches exist and every order's address really is the descriptor's. */
function contentFault(recovery: Recovery, source: ScriptSource): string | undefined {
  const ends = new Map(recovery.branches.map((row) => [row.branch, row.nextIndex]))
  for (const [branch, end] of ends) {
    if (!source.branches.includes(branch))
      return `names branch ${branch}, which the keys do not have`
    if (end > MAX_INDEX || (!source.ranged && end > 1))
      return `has too high an index on branch ${branch}`
  }
  for (const { branch, index, address } of recovery.orders) {
    if (index >= (ends.get(branch) ?? 0))
      return `has an order at ${branch}/${index}, beyond its range`
    const [derived] = source.derive(branch, index, 1)
    if (derived?.address !== address)
      return `has an address at ${branch}/${index} that is not of its keys`
  }
  return undefined
}

async function takeUp(
  tx: WalletTx,
  deps: WalletDeps,
  id: WalletId,
  recovery: Recovery,
  actor: string,
): Promise<{ readonly wallet: WalletRecord; readonly watched: readonly WatchedScript[] }> {
  const at = deps.clock.now()
  const before = await tx.wallet.lockWallet(id)
  assert(before, `wallet ${id} is gone`)
  const watched: WatchedScript[] = []
  const starts = recovery.branches.toSorted((a, b) => a.branch - b.branch)
  const keychains: (KeychainRecord | undefined)[] = []
  for (const { branch } of starts) keychains.push(await tx.wallet.lockKeychain(id, branch))
  for (const [i, start] of starts.entries()) {
    const keychain = keychains[i]
    assert(keychain, `wallet ${id} has no branch ${start.branch}`)
    const nextIndex = Math.max(keychain.nextIndex, start.nextIndex)
    const growth = await growWindow(tx, before, keychain, nextIndex, createScriptPool())
    watched.push(...growth.added)
    const after: KeychainRecord = {
      ...keychain,
      nextIndex,
      watchedTo: growth.watchedTo,
      lastUsed: Math.max(keychain.lastUsed, start.lastUsed),
      reach: Math.max(keychain.reach, start.reach),
    }
    await tx.wallet.saveKeychain(after)
    const fresh = { ...keychain, nextIndex: 0, reach: -1 }
    await noteGap(tx, at, before, fresh, after)
  }
  await ownAddresses(tx.wallet, id, recovery)
  await keepLabels(tx.wallet, id, recovery.labels)
  const tip = await tx.chain.tip()
  const from = Math.min(before.birthday, recovery.birthday)
  const wallet: WalletRecord = {
    ...before,
    birthday: from,
    status: recovery.status === 'retired' ? 'retired' : before.status,
    rescan: { from, next: from, to: Math.max(from, tip?.height ?? from) },
  }
  await tx.wallet.saveWallet(wallet)
  await writeDown(tx, at, actor, 'wallet.restored', 'wallet.restore', wallet, {
    orders: recovery.orders.length,
    labels: recovery.labels.length,
    birthday: from,
  })
  return { wallet, watched }
}

/** Gives the addresses of the file's orders back to them; an owner that stands here already is not changed. */
async function ownAddresses(rows: WalletRows, id: WalletId, { orders }: Recovery): Promise<void> {
  const changed: AddressRecord[] = []
  for (const { order, branch, index } of orders) {
    const row = await rows.address(id, branch, index)
    assert(row, `address ${branch}/${index} of ${id} is not watched`)
    if (row.order !== undefined) continue
    changed.push({ ...row, state: 'revealed', shown: true, order: order as OrderId })
  }
  for (let from = 0; from < changed.length; from += PAGE)
    await rows.saveAddresses(changed.slice(from, from + PAGE))
}

async function keepLabels(
  rows: WalletRows,
  id: WalletId,
  labels: readonly string[],
): Promise<void> {
  // Read with the same care as a label file: a recovery file is outside data too.
  for (let from = 0; from < labels.length; from += PAGE) {
    const parsed = parseLabels(labels.slice(from, from + PAGE).join('\n'))
    if (parsed.ok) await rows.saveLabels(parsed.value.labels.map((label) => labelRecord(id, label)))
  }
}

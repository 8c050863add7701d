import {
  type Clock,
  EngineError,
  type Entropy,
  type Network,
  newId,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Transactor,
  type WalletId,
} from '../../kernel/index.ts'
import { type AuditRows, appendAudit } from '../audit/index.ts'
import { type KeyInput, openDescriptor, readKeys, type ScriptSource } from './derivation.ts'
import { checkLabel } from './labels.ts'
import {
  DEFAULT_GAP_LIMIT,
  DEFAULT_LOOKAHEAD,
  INDEX_END,
  lookaheadOf,
  MAX_GAP_LIMIT,
  MAX_LOOKAHEAD,
} from './policy.ts'
import type { AddressRecord, KeychainRecord, WalletRecord } from './ports.ts'
import type { AddressTx } from './reveal.ts'
import { firstTaken, insertRows, type WatchedScript, watchedRow } from './window.ts'

/** The row doors of the wallet services. */
export interface WalletTx extends AddressTx {
  readonly audit: AuditRows
  /** Of the chain a wallet needs to know only how high it is. */
  readonly chain: { tip(): Promise<{ readonly height: number } | undefined> }
}
export interface WalletDeps {
  readonly store: Transactor<WalletTx>
  readonly clock: Clock
  readonly entropy: Entropy
  /** The one network of this engine. */
  readonly network: Network
  /** Told after a commit which scripts are watched now. Only a hint: `refresh` of the watch set never needs it. */
  readonly onWatched?: (scripts: readonly WatchedScript[]) => void
}

/** Exactly one of `descriptor` and `xpub` names the keys. */
export interface WalletInput extends KeyInput {
  readonly name: string
  /** Must be the engine's own when given: a caller that thinks of another network is stopped here. */
  readonly network?: Network
  /** How many unused addresses in a row other wallets look ahead; 20 unless said otherwise (BIP 44). */
  readonly gapLimit?: number
  /** How many scripts are watched beyond the last one handed out; 1000, and a fifth of it for change. */
  readonly lookahead?: number
  /** Height below which nothing can have been paid to these keys. Unless given, the tip: keys without a past. */
  readonly birthday?: number
  /** Accepts a descriptor with one fixed script, which is watched and reveals no address to an order. */
  readonly allowFixed?: boolean
}
export interface Registered {
  readonly wallet: WalletRecord
  /** False when the same request was answered before. */
  readonly created: boolean
}

export interface Settings {
  readonly name: string
  readonly gapLimit: number
  readonly lookahead: number
  readonly birthday?: number
}

/**
 * Registers public keys and watches their first addresses; scripts, wallet, event and audit entry in one commit.
 *
 * Asking again with the same keys, name and settings gives the same wallet. Refuses private keys, keys of another
 * network, with a wrong checksum, depth or prefix, descriptors that cannot be watched or have no range, keys that are
 * registered already (details name the wallet) and a birthday above the tip.
 *
 * @param actor who asks, as in the audit trail: `operator:<name>`, `api:<key id>`
 */
export async function registerWallet(
  deps: WalletDeps,
  input: WalletInput,
  actor: string,
): Promise<Result<Registered, Refusal>> {
  const settings = readSettings(deps.network, input)
  if (!settings.ok) return settings
  const keys = readKeys(input, deps.network)
  if (!keys.ok) return keys
  return register(deps, settings.value, keys.value.descriptor, [], actor)
}

/** Where a branch begins that was in use before: taken from a recovery file. */
export type BranchStart = Pick<KeychainRecord, 'branch' | 'nextIndex' | 'lastUsed' | 'reach'>

/** Registers keys that were read before, with branches that begin at `starts`: no index below is handed out again. */
export async function register(
  deps: WalletDeps,
  settings: Settings,
  descriptor: string,
  starts: readonly BranchStart[],
  actor: string,
): Promise<Result<Registered, Refusal>> {
  const known = await deps.store.read((tx) => tx.wallet.walletByDescriptor(descriptor))
  if (known) return answerKnown(known, settings)
  const draft = draftWallet(deps, settings, descriptor)
  // Outside the transaction: deriving a thousand scripts takes longer than storing them.
  const window = firstWindow(draft, openDescriptor(descriptor, deps.network), starts)
  try {
    const result = await deps.store.transact((tx) =>
      insertWallet(tx, draft, window, settings, { actor, at: draft.createdAt }),
    )
    if (result.ok && result.value.created) deps.onWatched?.(window.rows)
    return result
  } catch (error) {
    // Another process registered the same keys between our look and our commit.
    if (!(error instanceof EngineError) || error.code !== 'STORE_CONFLICT') throw error
    const other = await deps.store.read((tx) => ownerOf(tx, draft, window.rows))
    if (!other) throw error
    return answerKnown(other, settings, descriptor)
  }
}

/** Name and numbers of a wallet, each inside its range. */
export function readSettings(network: Network, input: WalletInput): Result<Settings, Refusal> {
  if (input.network !== undefined && input.network !== network)
    return refuse('WALLET_NETWORK', `this engine works on ${network}, not on ${input.network}`, {
      param: 'network',
      details: { network, asked: String(input.network) },
    })
  const name = readName(input.name)
  if (!name.ok) return name
  const gapLimit = input.gapLimit ?? DEFAULT_GAP_LIMIT
  if (!isBetween(gapLimit, 1, MAX_GAP_LIMIT))
    return invalid('gap_limit', `is not a whole number from 1 to ${MAX_GAP_LIMIT}`)
  const lookahead = input.lookahead ?? Math.max(DEFAULT_LOOKAHEAD, gapLimit)
  if (!isBetween(lookahead, gapLimit, MAX_LOOKAHEAD))
    return invalid(
      'lookahead',
      `is not a whole number from the gap limit (${gapLimit}) to ${MAX_LOOKAHEAD}`,
    )
  const { birthday } = input
  if (birthday !== undefined && !isBetween(birthday, 0, 0xffff_ffff))
    return invalid('birthday', 'is not a block height')
  return ok({
    name: name.value,
    gapLimit,
    lookahead,
    ...(birthday === undefined ? {} : { birthday }),
  })
}

/** A name that can stand in a table and in a log line; at most 100 characters. */
export function readName(name: unknown): Result<string, Refusal<'FIELD_INVALID'>> {
  if (typeof name !== 'string' || name.length > 100)
    return invalid('name', 'is not a text of at most 100 characters')
  const text = checkLabel(name.trim())
  return text.ok ? text : invalid('name', `cannot be used: ${text.error.message}`)
}
export const invalid = (param: string, reason: string) =>
  refuse('FIELD_INVALID', `${param} ${reason}`, { param })
export const isBetween = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most

function draftWallet(deps: WalletDeps, settings: Settings, descriptor: string): WalletRecord {
  return {
    id: newId('wal', deps.clock, deps.entropy) as WalletId,
    name: settings.name,
    network: deps.network,
    descriptor,
    status: 'active',
    gapLimit: settings.gapLimit,
    lookahead: settings.lookahead,
    birthday: settings.birthday ?? 0,
    createdAt: deps.clock.now(),
  }
}

interface FirstWindow {
  readonly keychains: readonly KeychainRecord[]
  readonly rows: readonly AddressRecord[]
}

function firstWindow(
  wallet: WalletRecord,
  source: ScriptSource,
  starts: readonly BranchStart[],
): FirstWindow {
  const rows: AddressRecord[] = []
  const keychains = source.branches.map((branch): KeychainRecord => {
    const start = starts.find((row) => row.branch === branch)
    const nextIndex = source.ranged ? (start?.nextIndex ?? 0) : 1
    const watchedTo = source.ranged
      ? Math.min(INDEX_END, nextIndex + lookaheadOf(wallet, branch))
      : 1
    for (const [index, { script, address }] of source.derive(branch, 0, watchedTo).entries()) {
      const row = watchedRow(wallet.id, branch, index, script, address)
      // One fixed script is known to everybody who has the wallet: nothing is left to hand out.
      rows.push(source.ranged ? row : { ...row, state: 'revealed', shown: true })
    }
    const { lastUsed = -1, reach = -1 } = start ?? {}
    return { wallet: wallet.id, branch, nextIndex, watchedTo, lastUsed, reach }
  })
  return { keychains, rows }
}

async function insertWallet(
  tx: WalletTx,
  draft: WalletRecord,
  window: FirstWindow,
  settings: Settings,
  { actor, at }: { readonly actor: string; readonly at: number },
): Promise<Result<Registered, Refusal>> {
  const owner = await ownerOf(tx, draft, window.rows)
  if (owner) return answerKnown(owner, settings, draft.descriptor)
  const tip = (await tx.chain.tip())?.height
  if (tip !== undefined && draft.birthday > tip) return aboveTip('birthday', draft.birthday, tip)
  const birthday = settings.birthday ?? tip ?? 0
  const wallet: WalletRecord = {
    ...draft,
    birthday,
    // Even keys without a past need it, see `WalletRecord.rescan`; before anything is followed only a stated past does.
    ...(tip === undefined && settings.birthday === undefined
      ? {}
      : { rescan: { from: birthday, next: birthday, to: tip ?? birthday } }),
  }
  await tx.wallet.insertWallet(wallet)
  for (const keychain of window.keychains) await tx.wallet.saveKeychain(keychain)
  await insertRows(tx.wallet, window.rows)
  await writeDown(tx, at, actor, 'wallet.registered', 'wallet.register', wallet, {
    network: wallet.network,
    descriptor_checksum: wallet.descriptor.slice(-8),
    gap_limit: wallet.gapLimit,
    birthday,
  })
  return ok({ wallet, created: true })
}

/** The wallet that has this descriptor, or watches a script of the window. */
async function ownerOf(
  tx: WalletTx,
  draft: WalletRecord,
  rows: readonly AddressRecord[],
): Promise<WalletRecord | undefined> {
  const same = await tx.wallet.walletByDescriptor(draft.descriptor)
  if (same) return same
  const taken = await firstTaken(tx.wallet, rows)
  return taken ? tx.wallet.wallet(taken.by) : undefined
}

function answerKnown(
  wallet: WalletRecord,
  settings: Settings,
  descriptor = wallet.descriptor,
): Result<Registered, Refusal<'WALLET_KEYS_REGISTERED'>> {
  const isEqual =
    wallet.descriptor === descriptor &&
    wallet.name === settings.name &&
    wallet.gapLimit === settings.gapLimit &&
    wallet.lookahead === settings.lookahead &&
    (settings.birthday ?? wallet.birthday) === wallet.birthday
  if (isEqual) return ok({ wallet, created: false })
  return refuse(
    'WALLET_KEYS_REGISTERED',
    `these keys belong to wallet ${wallet.name} (${wallet.id}) already`,
    { details: { wallet: wallet.id, name: wallet.name, status: wallet.status } },
  )
}

export const aboveTip = (param: string, height: number, tip: number) =>
  refuse('WALLET_BIRTHDAY_ABOVE_TIP', `${param} ${height} is above the tip at ${tip}`, {
    param,
    details: { height, tip },
  })

/** Event and audit entry of one change of a wallet. */
export async function writeDown(
  tx: WalletTx,
  at: number,
  actor: string,
  event: string,
  action: string,
  wallet: WalletRecord,
  details: Readonly<Record<string, string | number | boolean>>,
): Promise<void> {
  const data = { wallet: wallet.id, name: wallet.name, ...details }
  await appendAudit(tx, at, [{ actor, action, subject: wallet.id, details: data }])
  await tx.events.append(at, [{ type: event, subject: wallet.id, data }])
}

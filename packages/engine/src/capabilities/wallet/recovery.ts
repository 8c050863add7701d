import {
  isNetwork,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  toHex,
} from '../../kernel/index.ts'
import {
  formatJson,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type JsonWritable,
  jsonInteger,
  parseJson,
} from '../../protocol/json/index.ts'
import { refusePrivate } from '../../protocol/keys/index.ts'
import { doubleSha256 } from '../../protocol/transaction/index.ts'
import { holdsPrivateKey } from './secrets.ts'

/** The first member of the file and its version; a reader refuses every other one. */
export const RECOVERY_FORMAT = 'kaccy-recovery'
export const RECOVERY_VERSION = 1
/** Largest file that is read, in UTF-16 units. */
const MAX_TEXT = 128_000_000

/** What a recovery file says: enough to find every coin and to hand out no address twice. No private keys, ever. */
export interface Recovery {
  readonly network: Network
  readonly name: string
  readonly descriptor: string
  readonly status: 'active' | 'retired'
  readonly gapLimit: number
  readonly lookahead: number
  readonly birthday: number
  readonly branches: readonly RecoveryBranch[]
  /** Which order owns which address. */
  readonly orders: readonly RecoveryOrder[]
  /** BIP 329 records, each as its JSON text. */
  readonly labels: readonly string[]
}
export interface RecoveryBranch {
  readonly branch: number
  readonly nextIndex: number
  /** -1 when none was used. */
  readonly lastUsed: number
  /** Highest used index that a wallet looking `gapLimit` ahead finds; -1 when none. */
  readonly reach: number
}
export interface RecoveryOrder {
  readonly order: string
  readonly branch: number
  readonly index: number
  readonly address: string
}

export type RecoveryRefusal = Refusal<
  'WALLET_RECOVERY_INVALID' | 'WALLET_RECOVERY_CHECKSUM' | 'WALLET_RECOVERY_VERSION' | 'KEY_PRIVATE'
>

/** The file: JSON in the order that README.md documents, with a checksum over everything else. */
export function formatRecovery(recovery: Recovery): string {
  const body = bodyOf(recovery)
  const text = formatJson({ ...body, checksum: checksumOf(formatJson(body)) })
  // One record a line: people look into such a file, and tools compare two of them.
  return `${text.replace(/(?<=[[,])(?=\{"(?:branch|order|record)":)/g, '\n')}\n`
}

function bodyOf(recovery: Recovery): { readonly [name: string]: JsonWritable } {
  return {
    format: RECOVERY_FORMAT,
    version: RECOVERY_VERSION,
    network: recovery.network,
    name: recovery.name,
    descriptor: recovery.descriptor,
    status: recovery.status,
    gap_limit: recovery.gapLimit,
    lookahead: recovery.lookahead,
    birthday: recovery.birthday,
    branches: recovery.branches.map((row) => ({
      branch: row.branch,
      next_index: row.nextIndex,
      last_used: row.lastUsed,
      reach: row.reach,
    })),
    orders: recovery.orders.map(({ order, branch, index, address }) => ({
      order,
      branch,
      index,
      address,
    })),
    labels: recovery.labels.map((record) => ({ record })),
  }
}

/** SHA-256 twice over the compact text of all members but the checksum itself, in the order of the file. */
const checksumOf = (text: string): string => toHex(doubleSha256(new TextEncoder().encode(text)))

/** Reads a recovery file; refuses private keys, other versions, and whatever was changed or cut since it was written. */
export function parseRecovery(text: string): Result<Recovery, RecoveryRefusal> {
  if (text.length > MAX_TEXT) return invalid('is too large')
  if (holdsPrivateKey(text)) return refusePrivate()
  const parsed = parseJson(text.trim(), 8)
  if (!parsed.ok) return invalid(`is not readable: ${parsed.error.message}`)
  if (!isJsonObject(parsed.value)) return invalid('is not a JSON object')
  const { checksum, ...body } = parsed.value
  if (body['format'] !== RECOVERY_FORMAT) return invalid('has another format', 'format')
  if (jsonInteger(body['version']) !== RECOVERY_VERSION)
    return refuse(
      'WALLET_RECOVERY_VERSION',
      `the recovery file has another version than ${RECOVERY_VERSION}`,
      { param: 'recovery' },
    )
  if (checksum !== checksumOf(formatJson(body)))
    return refuse(
      'WALLET_RECOVERY_CHECKSUM',
      'the recovery file was changed or cut: its checksum does not match',
      { param: 'recovery' },
    )
  return readBody(body)
}

const invalid = (reason: string, member?: string) =>
  refuse('WALLET_RECOVERY_INVALID', `the recovery file ${reason}`, {
    param: 'recovery',
    ...(member === undefined ? {} : { details: { member } }),
  })

function readBody(body: JsonObject): Result<Recovery, RecoveryRefusal> {
  const { network, name, descriptor, status } = body
  const gapLimit = countOf(body['gap_limit'])
  const lookahead = countOf(body['lookahead'])
  const birthday = countOf(body['birthday'])
  const branches = listOf(body['branches'], readBranch)
  const orders = listOf(body['orders'], readOrder)
  const labels = listOf(body['labels'], ({ record }) => textOf(record))
  if (!isNetwork(network)) return invalid('names no network', 'network')
  if (typeof name !== 'string') return invalid('has no name', 'name')
  if (typeof descriptor !== 'string') return invalid('has no descriptor', 'descriptor')
  if (status !== 'active' && status !== 'retired') return invalid('has no status', 'status')
  if (gapLimit === undefined || lookahead === undefined || birthday === undefined)
    return invalid('lacks a number', 'gap_limit, lookahead or birthday')
  if (!branches) return invalid('has no list of branches', 'branches')
  if (!orders) return invalid('has no list of orders', 'orders')
  if (!labels) return invalid('has no list of labels', 'labels')
  return ok({
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
  })
}

function readBranch(row: JsonObject): RecoveryBranch | undefined {
  const branch = countOf(row['branch'])
  const nextIndex = countOf(row['next_index'])
  const lastUsed = jsonInteger(row['last_used'])
  const reach = jsonInteger(row['reach'])
  if (branch === undefined || nextIndex === undefined) return undefined
  if (lastUsed === undefined || reach === undefined || reach < -1 || reach > lastUsed)
    return undefined
  return lastUsed < nextIndex ? { branch, nextIndex, lastUsed, reach } : undefined
}

function readOrder(row: JsonObject): RecoveryOrder | undefined {
  const { order, address } = row
  const branch = countOf(row['branch'])
  const index = countOf(row['index'])
  if (typeof order !== 'string' || typeof address !== 'string') return undefined
  if (branch === undefined || index === undefined) return undefined
  return { order, branch, index, address }
}

const textOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

const countOf = (value: JsonValue | undefined): number | undefined => {
  const count = jsonInteger(value)
  return count === undefined || count < 0 ? undefined : count
}

/** Undefined unless a list of objects of which each can be read. */
function listOf<T>(
  value: JsonValue | undefined,
  read: (row: JsonObject) => T | undefined,
): readonly T[] | undefined {
  if (!isJsonArray(value)) return undefined
  const rows: T[] = []
  for (const member of value) {
    const row = isJsonObject(member) ? read(member) : undefined
    if (row === undefined) return undefined
    rows.push(row)
  }
  return rows
}

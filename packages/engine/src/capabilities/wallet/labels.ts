import { ok, type Refusal, type Result, refuse, type WalletId } from '../../kernel/index.ts'
import {
  formatJson,
  isJsonObject,
  type JsonObject,
  type JsonWritable,
  parseJson,
} from '../../protocol/json/index.ts'
import type { LabelRecord } from './ports.ts'
import { holdsPrivateKey } from './secrets.ts'

/** Largest label file that is read, in UTF-16 units. */
export const MAX_LABEL_TEXT = 32_000_000
/** Largest number of lines. */
export const MAX_LABEL_LINES = 100_000
/** Longest line, in UTF-16 units. */
const MAX_LINE = 20_000
/** Longest label; BIP 329 advises 255 characters. */
export const MAX_LABEL = 1_000
const MAX_REF = 500
const MAX_DEPTH = 16

/** One record of a label file, as it came: `json` is the whole object in compact form with its own order and digits. */
export interface Label {
  readonly type: string
  readonly ref: string
  readonly label?: string
  readonly origin?: string
  readonly json: string
}
export interface SkippedLine {
  /** From 1. */
  readonly line: number
  readonly reason: string
}
export interface ParsedLabels {
  readonly labels: readonly Label[]
  /** Lines that were left out, each with its reason. The reason never repeats the line. */
  readonly skipped: readonly SkippedLine[]
}

/**
 * Reads a label file: one JSON object a line (BIP 329). Types and fields that are not known are kept as they are. A line
 * that cannot be kept safely is skipped and named; the others are read.
 */
export function parseLabels(
  text: string,
): Result<ParsedLabels, Refusal<'WALLET_LABELS_TOO_LARGE'>> {
  const tooLarge = (reason: string) =>
    refuse('WALLET_LABELS_TOO_LARGE', `the label file ${reason}`, { param: 'labels' })
  if (text.length > MAX_LABEL_TEXT) return tooLarge(`has more than ${MAX_LABEL_TEXT} characters`)
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text
  const lines = body.split(/\r\n|\n/)
  if (lines.length > MAX_LABEL_LINES + 1) return tooLarge(`has more than ${MAX_LABEL_LINES} lines`)
  const labels: Label[] = []
  const skipped: SkippedLine[] = []
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue
    const label = parseLine(line)
    if (typeof label === 'string') skipped.push({ line: at + 1, reason: label })
    else labels.push(label)
  }
  return ok({ labels, skipped })
}

/** The record of one line, or why it cannot be kept. */
function parseLine(line: string): Label | string {
  if (line.length > MAX_LINE) return `longer than ${MAX_LINE} characters`
  if (holdsPrivateKey(line)) return 'contains a private key'
  const value = parseJson(line, MAX_DEPTH)
  if (!value.ok) return value.error.message
  if (!isJsonObject(value.value)) return 'not a JSON object'
  const { type, ref, label, origin, spendable } = value.value
  if (typeof type !== 'string' || !/^[\w.-]{1,40}$/.test(type)) return 'no usable type'
  if (typeof ref !== 'string' || ref === '' || ref.length > MAX_REF) return 'no usable ref'
  if (label !== undefined && typeof label !== 'string') return 'the label is not text'
  if (origin !== undefined && (typeof origin !== 'string' || origin.length > MAX_REF))
    return 'the origin is not usable text'
  if (spendable !== undefined && typeof spendable !== 'boolean')
    return 'spendable is neither true nor false'
  const fault = refFault(type, ref) ?? textFault(label) ?? hiddenFault(value.value)
  if (fault) return fault
  return {
    type,
    ref,
    ...(label === undefined ? {} : { label }),
    ...(origin === undefined ? {} : { origin }),
    json: formatJson(value.value),
  }
}

/** What a ref of a type of BIP 329 must look like; other types may use any visible text. */
function refFault(type: string, ref: string): string | undefined {
  const fits: Readonly<Record<string, (ref: string) => boolean>> = {
    tx: (text) => /^[0-9a-fA-F]{64}$/.test(text),
    addr: (text) => /^[0-9a-zA-Z]{1,110}$/.test(text),
    pubkey: (text) => /^(?:0[23])?[0-9a-fA-F]{64}$|^04[0-9a-fA-F]{128}$/.test(text),
    input: isPoint,
    output: isPoint,
    xpub: (text) => /^[0-9A-Za-z]{1,120}$/.test(text),
  }
  const matches = Object.hasOwn(fits, type) ? fits[type] : undefined
  if (matches && !matches(ref)) return `the ref is no ${type}`
  return textFault(ref)?.replace('label', 'ref')
}
const isPoint = (ref: string): boolean => {
  const match = /^([0-9a-fA-F]{64}):(0|[1-9]\d{0,9})$/.exec(ref)
  return match !== null && Number(match[2]) <= 0xffff_ffff
}

/**
 * What makes a text unfit for a line of a table, a log or a screen: controls (they forge log lines and drive terminals),
 * marks that turn the direction of writing (they show another text than is stored), and text nobody can see.
 */
function textFault(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  if (text.length > MAX_LABEL) return `the label is longer than ${MAX_LABEL} characters`
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u.test(text)) return 'the label has control characters'
  if (/[\u202A-\u202E\u2066-\u2069]/.test(text))
    return 'the label has marks that turn the direction of writing'
  if (!/[^\p{Z}\p{Cf}\p{Mn}]/u.test(text)) return 'the label has no visible character'
  return undefined
}

/** Unknown fields are kept inert inside JSON; a name that cannot be stored as text anywhere is refused. */
const hiddenFault = (record: JsonObject): string | undefined =>
  formatJson(record).includes('\\u0000') ? 'a field has a NUL character' : undefined

/** A label for an address of ours, as it will be kept. Spaces around it are dropped. */
export function checkLabel(text: string): Result<string, Refusal<'WALLET_LABEL_INVALID'>> {
  const fault = text.trim() === '' ? 'the label is empty' : (textFault(text) ?? secretFault(text))
  return fault ? refuse('WALLET_LABEL_INVALID', fault, { param: 'label' }) : ok(text)
}
const secretFault = (text: string): string | undefined =>
  holdsPrivateKey(text) ? 'the label contains a private key' : undefined

/** The file: one object a line, each as it was kept. Source: BIP 329. */
export const formatLabels = (labels: Iterable<Pick<LabelRecord, 'json'>>): string => {
  let text = ''
  for (const { json } of labels) text += `${json}\n`
  return text
}

/**
 * Where a record stands. Two records of one transaction may differ by the wallet that they are from (`origin`), so the
 * origin is part of the place.
 */
export const labelRecord = (wallet: WalletId, label: Label): LabelRecord => ({
  wallet,
  type: label.type,
  ref: label.origin === undefined ? label.ref : `${label.ref} ${label.origin}`,
  json: label.json,
})

/** Our own record of an address. Without `label` it says that there is none any more. */
export function labelOfAddress(wallet: WalletId, address: string, label?: string): LabelRecord {
  const record: Record<string, JsonWritable> = { type: 'addr', ref: address }
  if (label !== undefined) record['label'] = label
  return { wallet, type: 'addr', ref: address, json: formatJson(record) }
}

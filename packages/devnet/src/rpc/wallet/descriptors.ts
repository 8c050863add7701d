import { HDKey } from '@scure/bip32'
import { addressOf } from '../../chain/address.ts'
import { withChecksum } from '../../descriptor/checksum.ts'
import { DescriptorError } from '../../descriptor/error.ts'
import { BIP32_VERSIONS } from '../../descriptor/key.ts'
import { type Descriptor, parseDescriptor } from '../../descriptor/parse.ts'
import { DEFAULT_RANGE, DescriptorRecord, KEYPOOL_SIZE } from '../../wallet/record.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { TEMPLATES } from '../../wallet/wallets.ts'
import { rangeArgument } from '../descriptors.ts'
import { RpcError, rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Method, RpcContext } from '../method.ts'
import { flagValue, kindOf, listValue, objectValue, textValue, wholeValue } from '../values.ts'
import { labelValue, outputTypeValue, walletMethod, warningsView } from './chosen.ts'

type Request = Readonly<Record<string, unknown>>
/** A transaction may be up to two hours older than the key it pays. */
const WINDOW = 7200

function timestampOf(request: Request, now: number): number {
  const value = request['timestamp']
  if (kindOf(value) === 'number') return Math.max(1, wholeValue(value))
  if (value === 'now') return Math.max(1, now)
  if (value === undefined) throw rpcError('typeError', 'Missing required timestamp field for key')
  const fault = `Expected number or "now" timestamp value for key. got type ${kindOf(value)}`
  throw rpcError('typeError', fault)
}
interface Range {
  readonly start: number
  /** Exclusive. */
  readonly end: number
  readonly next: number
}
const has = (request: Request, name: string): boolean => request[name] !== undefined

function rangeOf(descriptor: Descriptor, request: Request, warnings: string[]): Range {
  if (!descriptor.ranged) {
    if (has(request, 'range')) {
      const fault = 'Range should not be specified for an un-ranged descriptor'
      throw rpcError('invalidParameter', fault)
    }
    return { start: 0, end: 1, next: 0 }
  }
  let [start, end] = [0, DEFAULT_RANGE]
  if (has(request, 'range')) {
    const [first, last] = rangeArgument(request['range'])
    start = first
    end = last + 1
  } else warnings.push('Range not given, using default keypool range')
  if (!has(request, 'next_index')) return { start, end, next: start }
  const next = wholeValue(request['next_index'])
  if (next < start || next >= end) {
    throw rpcError('invalidParameter', 'next_index is out of range')
  }
  return { start, end, next }
}
function checkUse(descriptor: Descriptor, request: Request, active: boolean, internal: boolean) {
  const refuse = (fault: string) => rpcError('invalidParameter', fault)
  if (active && !descriptor.ranged) throw refuse('Active descriptors must be ranged')
  if (has(request, 'range') && has(request, 'label')) {
    throw refuse('Ranged descriptors should not have a label')
  }
  if (internal && has(request, 'label')) {
    throw refuse('Internal addresses should not have a label')
  }
  if (active && !descriptor.single) {
    throw rpcError('wallet', 'Combo descriptors cannot be set to active')
  }
}
function checkKeys(wallet: Wallet, descriptor: Descriptor, warnings: string[]): void {
  if (!wallet.privateKeys && descriptor.hasPrivateKeys) {
    const fault = 'Cannot import private keys to a wallet with private keys disabled'
    throw rpcError('wallet', fault)
  }
  try {
    descriptor.scripts(0)
  } catch (fault) {
    if (!(fault instanceof DescriptorError)) throw fault
    throw rpcError(
      'wallet',
      'Cannot expand descriptor. Probably because of hardened derivations without private keys provided',
    )
  }
  if (!wallet.privateKeys) return
  if (!descriptor.hasPrivateKeys) {
    const fault = 'to a wallet with private keys enabled'
    throw rpcError('wallet', `Cannot import descriptor without private keys ${fault}`)
  }
  if (descriptor.text('private') === undefined) {
    warnings.push(
      'Not all private keys provided. Some wallet functionality may return unexpected errors',
    )
  }
}
function store(wallet: Wallet, text: string, timestamp: number, range: Range): DescriptorRecord {
  const fresh = new DescriptorRecord({
    text,
    timestamp,
    rangeStart: range.start,
    rangeEnd: range.end,
    nextIndex: range.next,
    shown: true,
  })
  const known = wallet.records.find(({ id }) => id === fresh.id)
  if (!known) {
    wallet.addRecord(fresh)
    return fresh
  }
  if (range.start > known.rangeStart || range.end < known.rangeEnd) {
    const current = `[${known.rangeStart},${known.rangeEnd - 1}]`
    const fault = `new range must include current range = ${current}`
    throw rpcError('invalidParameter', fault)
  }
  known.timestamp = timestamp
  known.rangeStart = range.start
  known.rangeEnd = range.end
  known.nextIndex = range.next
  known.shown = true
  wallet.topUp(known)
  return known
}
function importOne(wallet: Wallet, request: Request, timestamp: number, warnings: string[]): void {
  if (!has(request, 'desc')) throw rpcError('invalidParameter', 'Descriptor not found.')
  const text = textValue(request['desc'])
  const active = has(request, 'active') && flagValue(request['active'])
  const internal = has(request, 'internal') && flagValue(request['internal'])
  const label = labelValue(request['label'])
  const descriptor = parseDescriptor(text, true)
  const range = rangeOf(descriptor, request, warnings)
  checkUse(descriptor, request, active, internal)
  checkKeys(wallet, descriptor, warnings)
  const record = store(wallet, text, timestamp, range)
  if (!descriptor.ranged && !internal) {
    for (const script of descriptor.scripts(0)) {
      const address = addressOf(script)
      if (address !== undefined) wallet.label(address, { label, purpose: 'receive' })
    }
  }
  const { outputType } = descriptor
  if (outputType && active) wallet.activate(record, outputType, internal)
  else if (outputType) wallet.deactivate(record, outputType, internal)
  else if (active) warnings.push('Unknown output type, cannot set descriptor to active.')
}
function importResult(wallet: Wallet, request: Request, timestamp: number) {
  const warnings: string[] = []
  try {
    importOne(wallet, request, timestamp, warnings)
    return { success: true, warnings: warningsView(warnings) }
  } catch (fault) {
    const known =
      fault instanceof DescriptorError
        ? rpcError('invalidAddressOrKey', fault.message)
        : fault instanceof RpcError
          ? fault
          : undefined
    if (!known) throw fault
    const error = { code: known.code, message: known.message }
    return { success: false, error, warnings: warningsView(warnings) }
  }
}
/** The first block whose time, or that of one before it, is not before `time`. */
function heightAt({ regtest }: RpcContext, time: number): number | undefined {
  return regtest.chain.active.find(({ header }) => header.time >= time)?.height
}
function importDescriptors(wallet: Wallet, args: readonly unknown[], context: RpcContext): Json {
  const { tip } = context.regtest.chain
  let lowest = tip.header.time
  const results = listValue(args[0]).map((item) => {
    // What is no object has no members, as far as Core looks.
    const request = kindOf(item) === 'object' ? objectValue(item) : {}
    const timestamp = timestampOf(request, tip.medianTime)
    const result = importResult(wallet, request, timestamp)
    lowest = Math.min(lowest, timestamp)
    return result
  })
  if (results.some(({ success }) => success)) {
    const start = heightAt(context, lowest - WINDOW)
    if (start !== undefined) wallet.rescan(start)
  }
  return results
}
function listDescriptors(wallet: Wallet, args: readonly unknown[]): Json {
  const form = args[0] === true ? 'private' : 'normalized'
  const descriptors = wallet.records.map((record) => {
    const desc = record.descriptor.text(form)
    if (desc === undefined) throw rpcError('wallet', "Can't get descriptor string.")
    wallet.show(record)
    const range = [record.rangeStart, record.rangeEnd - 1]
    const { nextIndex } = record
    const ranged = record.descriptor.ranged ? { range, next: nextIndex, next_index: nextIndex } : {}
    const internal = wallet.isInternal(record)
    return {
      desc,
      timestamp: record.timestamp,
      active: internal !== undefined,
      internal,
      ...ranged,
    }
  })
  descriptors.sort((a, b) => (a.desc < b.desc ? -1 : 1))
  return { wallet_name: wallet.name, descriptors }
}

/** The private root key that new descriptors of a wallet come from. @throws RpcError -5. */
function rootKeyOf(wallet: Wallet, wanted: unknown): string {
  const publicOf = (key: string): string =>
    HDKey.fromExtendedKey(key, BIP32_VERSIONS).publicExtendedKey
  if (wanted === undefined) {
    const keys = new Set([...wallet.active.values()].flatMap((record) => record.rootKeys()))
    const [only] = keys
    if (only !== undefined && keys.size === 1) return only
    const fault = 'Unable to determine which HD key to use from active descriptors.'
    throw rpcError('invalidAddressOrKey', `${fault} Please specify with 'hdkey'`)
  }
  const text = textValue(wanted)
  if (!/^tpub[1-9A-HJ-NP-Za-km-z]{107}$/.test(text)) {
    throw rpcError('invalidAddressOrKey', 'Unable to parse HD key. Please provide a valid xpub')
  }
  const known = wallet.records.flatMap((record) => record.rootKeys())
  const own = known.find((key) => publicOf(key) === text)
  if (own !== undefined) return own
  throw rpcError('invalidAddressOrKey', `Private key for ${text} is not known`)
}
function createDescriptor(wallet: Wallet, args: readonly unknown[], context: RpcContext): Json {
  const type = outputTypeValue(args[0])
  const options = args[1] === undefined ? {} : objectValue(args[1])
  const { internal } = options
  const sides = internal === undefined ? [false, true] : [flagValue(internal)]
  const key = rootKeyOf(wallet, options['hdkey'])
  const made: string[] = []
  for (const side of sides) {
    const record = new DescriptorRecord({
      text: withChecksum(TEMPLATES[type](key, side ? 1 : 0)),
      timestamp: context.regtest.now(),
      rangeStart: 0,
      rangeEnd: KEYPOOL_SIZE,
      nextIndex: 0,
      shown: true,
    })
    if (wallet.records.some(({ id }) => id === record.id)) continue
    wallet.addRecord(record)
    wallet.activate(record, type, side)
    made.push(record.descriptor.text('normalized') ?? '')
  }
  if (made.length === 0) throw rpcError('wallet', 'Descriptor already exists')
  return { descs: made }
}

export const walletDescriptorMethods: readonly Method[] = [
  walletMethod('createwalletdescriptor', ['type:string', 'options:object?'], createDescriptor),
  walletMethod('importdescriptors', ['requests:array'], importDescriptors),
  walletMethod('listdescriptors', ['private:bool?'], listDescriptors),
]

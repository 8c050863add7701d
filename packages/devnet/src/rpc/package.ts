import { rejectionText } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import { wireOrder } from '../mempool/entry.ts'
import type { Acceptance } from '../mempool/mempool.ts'
import type { PackageResult } from '../mempool/package.ts'
import { isChildWithParentsTree, MAX_PACKAGE_COUNT } from '../mempool/topology.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { hashArgument, integerArgument, type Method, method, type RpcContext } from './method.ts'
import { checkBurn, maxBurnArgument, maxRateArgument, packageMember } from './submission.ts'

const TOPOLOGY =
  'package topology disallowed. not child-with-parents or parents depend on each other.'

function acceptedView(verdict: Extract<Acceptance, { ok: true }>) {
  const { entry, rate, includes } = verdict
  const fees = { base: entry.fee, 'effective-feerate': rate, 'effective-includes': includes }
  return { vsize: entry.size, fees }
}
function resultView({ txid }: Transaction, result: PackageResult): Json {
  if (result.kind === 'otherWitness') return { txid, 'other-wtxid': result.wtxid }
  if (result.kind === 'present') {
    return { txid, vsize: result.entry.size, fees: { base: result.entry.fee } }
  }
  const { verdict } = result
  return verdict.ok
    ? { txid, ...acceptedView(verdict) }
    : { txid, error: rejectionText(verdict.rejection) }
}
function packageArgument(raw: unknown, maxBurn: bigint): readonly Transaction[] {
  return (raw as readonly unknown[]).map((hex) => {
    const transaction = packageMember(hex)
    checkBurn(transaction, maxBurn)
    return transaction
  })
}
function submitPackage({ regtest }: RpcContext, args: readonly unknown[]): Json {
  const count = (args[0] as readonly unknown[]).length
  if (count < 2 || count > MAX_PACKAGE_COUNT) {
    const fault = `Array must contain between 2 and ${MAX_PACKAGE_COUNT} transactions.`
    throw rpcError('invalidParameter', fault)
  }
  const maxRate = maxRateArgument(args[1])
  const list = packageArgument(args[0], maxBurnArgument(args[2]))
  if (!isChildWithParentsTree(list)) throw rpcError('verify', TOPOLOGY)
  const { fault, results } = regtest.offerPackage(list, maxRate > 0n ? { maxRate } : {})
  const replaced = new Set<string>()
  const views: [string, Json][] = []
  for (const transaction of list) {
    const { wtxid } = transaction
    const result = results.get(wtxid)
    // As in Core, what was not looked at is not listed.
    if (!result) continue
    if (result.kind === 'judged' && result.verdict.ok) {
      for (const txid of result.verdict.replaced) replaced.add(txid)
    }
    views.push([wtxid, resultView(transaction, result)])
  }
  return {
    package_msg: fault ? rejectionText(fault) : 'success',
    'tx-results': Object.fromEntries(views),
    'replaced-transactions': [...replaced].sort((a, b) => (wireOrder(a) < wireOrder(b) ? -1 : 1)),
  }
}

const typeName = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
function fieldOf(object: Readonly<Record<string, unknown>>, name: string, type: string): unknown {
  const value = object[name]
  if (value === undefined || value === null) throw rpcError('typeError', `Missing ${name}`)
  if (typeName(value) === type) return value
  const actual = typeName(value) === 'boolean' ? 'bool' : typeName(value)
  const fault = `JSON value of type ${actual} for field ${name} is not of expected type ${type}`
  throw rpcError('typeError', fault)
}
function outpointArgument(value: unknown): { readonly txid: string; readonly vout: number } {
  if (typeName(value) !== 'object') {
    const fault = `JSON value of type ${typeName(value)} is not of expected type object`
    throw rpcError('typeError', fault)
  }
  const object = value as Readonly<Record<string, unknown>>
  const text = fieldOf(object, 'txid', 'string')
  const number = fieldOf(object, 'vout', 'number')
  const strange = Object.keys(object).find((key) => key !== 'txid' && key !== 'vout')
  if (strange !== undefined) throw rpcError('typeError', `Unexpected key ${strange}`)
  const txid = hashArgument(text, 'txid')
  const vout = integerArgument(number)
  if (vout < 0) throw rpcError('invalidParameter', 'Invalid parameter, vout cannot be negative')
  return { txid, vout }
}
function spendingPrevouts({ regtest }: RpcContext, [list]: readonly unknown[]): Json {
  const outputs = list as readonly unknown[]
  if (outputs.length === 0) {
    throw rpcError('invalidParameter', 'Invalid parameter, outputs are missing')
  }
  return outputs.map(outpointArgument).map(({ txid, vout }) => {
    const spendingtxid = regtest.mempool.pool.spenders.get(`${txid}:${vout}`)
    return { txid, vout, spendingtxid }
  })
}

export const packageMethods: readonly Method[] = [
  method(
    'submitpackage',
    ['package:array', 'maxfeerate:any?', 'maxburnamount:any?'],
    submitPackage,
  ),
  method('gettxspendingprevout', ['outputs:array'], spendingPrevouts),
]

import { rejectionText } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { Acceptance } from '../mempool/mempool.ts'
import { feeAt, rateOf } from '../mempool/policy.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { type Method, method, type RpcContext } from './method.ts'
import { transactionArgument } from './transactions.ts'

const TOPOLOGY =
  'package topology disallowed. not child-with-parents or parents depend on each other.'

/** The last one must spend every other, and none of the others another. */
function isChildWithParents(list: readonly Transaction[]): boolean {
  const parents = list.slice(0, -1)
  const child = list[list.length - 1]
  const own = new Set(parents.map(({ txid }) => txid))
  const spends = (transaction: Transaction | undefined, txid: string) =>
    transaction?.inputs.some((input) => input.txid === txid) ?? false
  return parents.every(
    (parent) => spends(child, parent.txid) && !parent.inputs.some((input) => own.has(input.txid)),
  )
}

/**
 * Each alone first. Parents that only the mempool's moving minimum keeps out come in together with their child when the
 * package as a whole pays it; below the relay fee nothing helps (version 3 is not served yet).
 */
function submitAll({ regtest }: RpcContext, list: readonly Transaction[]) {
  const verdicts = new Map<string, Acceptance>()
  const offer = (transaction: Transaction, paidByChild = false) => {
    const verdict = regtest.offer(transaction, { unbroadcast: true, paidByChild })
    verdicts.set(transaction.wtxid, verdict)
    return verdict
  }
  const { pool, minFeeRate } = regtest.mempool
  const fresh = list.filter(({ txid }) => !pool.entries.has(txid))
  const waiting = fresh.filter((transaction) => {
    const verdict = offer(transaction)
    return !verdict.ok && verdict.rejection.reason === 'mempool min fee not met'
  })
  const child = list[list.length - 1]
  if (waiting.length === 0 || !child) return verdicts
  const before = regtest.mempool.pool.copy()
  const together = fresh.filter(({ txid }) => !pool.entries.has(txid))
  const taken = together.map((transaction) => offer(transaction, true))
  const fees = taken.reduce((sum, verdict) => sum + (verdict.ok ? verdict.entry.fee : 0n), 0n)
  const size = together.reduce((sum, { vsize }) => sum + vsize, 0)
  const paid = taken.every((verdict) => verdict.ok) && fees >= feeAt(minFeeRate, size)
  if (!paid) {
    for (const { txid } of together) if (!before.entries.has(txid)) pool.remove(txid, 'evicted')
    for (const { wtxid } of together) {
      const reason = {
        reason: 'mempool min fee not met',
        detail: `${fees} < ${feeAt(minFeeRate, size)}`,
      }
      verdicts.set(wtxid, { ok: false, rejection: reason, missingInputs: false })
    }
  }
  return verdicts
}
function submitPackage(context: RpcContext, [raw]: readonly unknown[]): Json {
  const hexes = raw as readonly unknown[]
  if (hexes.length < 1 || hexes.length > 25) {
    const fault = 'Array must contain between 1 and 25 transactions.'
    throw rpcError('invalidParameter', fault)
  }
  const list = hexes.map((hex) =>
    transactionArgument(hex, `TX decode failed: ${hex} Make sure the tx has at least one input.`),
  )
  if (!isChildWithParents(list)) throw rpcError('verify', TOPOLOGY)
  const verdicts = submitAll(context, list)
  const replaced: string[] = []
  let failed = false
  const results = list.map((transaction) => {
    const { txid, wtxid, vsize } = transaction
    const verdict = verdicts.get(wtxid)
    if (verdict && !verdict.ok) {
      failed = true
      return [wtxid, { txid, error: rejectionText(verdict.rejection) }] as const
    }
    replaced.push(...(verdict?.replaced ?? []))
    const fee = context.regtest.mempool.pool.entries.get(txid)?.fee ?? 0n
    const own = {
      base: fee,
      'effective-feerate': rateOf(fee, vsize),
      'effective-includes': [wtxid],
    }
    return [wtxid, { txid, vsize, fees: verdict ? own : { base: fee } }] as const
  })
  return {
    package_msg: failed ? 'transaction failed' : 'success',
    'tx-results': Object.fromEntries(results),
    'replaced-transactions': replaced,
  }
}
function spendingPrevouts({ regtest }: RpcContext, [list]: readonly unknown[]): Json {
  const outputs = list as readonly { readonly txid?: unknown; readonly vout?: unknown }[]
  if (outputs.length === 0) {
    throw rpcError('invalidParameter', 'Invalid parameter, outputs are missing')
  }
  return outputs.map((output) => {
    const { txid, vout } = output
    if (typeof txid !== 'string' || typeof vout !== 'number') {
      throw rpcError('typeError', 'Missing txid')
    }
    if (vout < 0) throw rpcError('invalidParameter', 'Invalid parameter, vout cannot be negative')
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

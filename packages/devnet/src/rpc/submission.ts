import { rejectionText } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { Acceptance } from '../mempool/mempool.ts'
import { feeAt, isBurned } from '../mempool/policy.ts'
import { MAX_PACKAGE_COUNT } from '../mempool/topology.ts'
import { type RpcError, rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { amountArgument, type Method, method, type RpcContext, textArgument } from './method.ts'
import { transactionArgument } from './transactions.ts'

const FEE_EXCEEDED = 'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)'
const BURN_EXCEEDED = 'Unspendable output exceeds maximum configured by user (maxburnamount)'
/** 0.10 BTC per 1000 vbytes: what these calls refuse to exceed by default. */
const DEFAULT_MAX_RATE = 10_000_000n

/** Satoshi per 1000 vbytes; 0: no limit. @throws RpcError -3, -8. */
export function maxRateArgument(value: unknown): bigint {
  const rate = value === undefined ? DEFAULT_MAX_RATE : amountArgument(value)
  if (rate >= 100_000_000n) {
    const fault = 'Fee rates larger than or equal to 1BTC/kvB are not accepted'
    throw rpcError('invalidParameter', fault)
  }
  return rate
}
/** Satoshi that may go to outputs which nobody can spend. */
export const maxBurnArgument = (value: unknown): bigint =>
  value === undefined ? 0n : amountArgument(value)
/** @throws RpcError -25 when an output burns more. */
export function checkBurn(transaction: Transaction, maxBurn: bigint): void {
  const burns = transaction.outputs.some(({ script, value }) => value > maxBurn && isBurned(script))
  if (burns) throw rpcError('verify', BURN_EXCEEDED)
}
/** One raw transaction of a list. @throws RpcError -22, -3. */
export function packageMember(hex: unknown): Transaction {
  const text = textArgument(hex)
  return transactionArgument(
    text,
    `TX decode failed: ${text} Make sure the tx has at least one input.`,
  )
}

function sendRawTransaction(context: RpcContext, args: readonly unknown[]): Json {
  const { regtest } = context
  const maxBurn = maxBurnArgument(args[2])
  const transaction = transactionArgument(args[0])
  checkBurn(transaction, maxBurn)
  const maxRate = maxRateArgument(args[1])
  const { txid } = transaction
  if (transaction.outputs.some((_, vout) => regtest.chain.coins.has(`${txid}:${vout}`))) {
    throw rpcError('alreadyInChain', 'Transaction outputs already in utxo set')
  }
  if (regtest.mempool.pool.entries.has(txid)) return txid
  if (maxRate > 0n) {
    const trial = regtest.offer(transaction, { test: true })
    if (!trial.ok) throw refusal(trial)
    if (trial.entry.fee > feeAt(maxRate, transaction.vsize)) throw rpcError('verify', FEE_EXCEEDED)
  }
  const verdict = regtest.offer(transaction, { unbroadcast: true })
  if (!verdict.ok) throw refusal(verdict)
  return txid
}
const refusal = ({ rejection, missingInputs }: Extract<Acceptance, { ok: false }>): RpcError =>
  rpcError(missingInputs ? 'verify' : 'verifyRejected', rejectionText(rejection))

type Verdicts = (wtxid: string) => Acceptance | undefined
function judge({ regtest }: RpcContext, list: readonly Transaction[]) {
  const [only, ...more] = list
  if (only && more.length === 0) {
    const verdict = regtest.offer(only, { test: true })
    return { error: undefined, verdictOf: (() => verdict) as Verdicts }
  }
  const { fault, results } = regtest.testPackage(list)
  const verdictOf: Verdicts = (wtxid) => {
    const result = results.get(wtxid)
    return result?.kind === 'judged' ? result.verdict : undefined
  }
  return { error: fault?.scope === 'package' ? rejectionText(fault) : undefined, verdictOf }
}
function verdictView(verdict: Acceptance, maxRate: bigint) {
  if (!verdict.ok) {
    const shown = verdict.missingInputs ? 'missing-inputs' : verdict.rejection.reason
    return { allowed: false, 'reject-reason': shown }
  }
  const { fee, size } = verdict.entry
  if (maxRate > 0n && fee > feeAt(maxRate, size)) {
    return { allowed: false, 'reject-reason': 'max-fee-exceeded' }
  }
  const fees = {
    base: fee,
    'effective-feerate': verdict.rate,
    'effective-includes': verdict.includes,
  }
  return { allowed: true, vsize: size, fees }
}
function testMempoolAccept(context: RpcContext, args: readonly unknown[]): Json {
  const hexes = args[0] as readonly unknown[]
  if (hexes.length < 1 || hexes.length > MAX_PACKAGE_COUNT) {
    const fault = `Array must contain between 1 and ${MAX_PACKAGE_COUNT} transactions.`
    throw rpcError('invalidParameter', fault)
  }
  const maxRate = maxRateArgument(args[1])
  const list = hexes.map(packageMember)
  const { error, verdictOf } = judge(context, list)
  // After one that costs too much, nothing is said: its children would not come in either.
  let ended = false
  return list.map(({ txid, wtxid }) => {
    const own = { txid, wtxid, 'package-error': error }
    const verdict = ended ? undefined : verdictOf(wtxid)
    if (!verdict) return own
    const view = verdictView(verdict, maxRate)
    ended = view['reject-reason'] === 'max-fee-exceeded'
    return { ...own, ...view }
  })
}

export const submissionMethods: readonly Method[] = [
  method(
    'sendrawtransaction',
    ['hexstring:string', 'maxfeerate:any?', 'maxburnamount:any?'],
    sendRawTransaction,
  ),
  method('testmempoolaccept', ['rawtxs:array', 'maxfeerate:any?'], testMempoolAccept),
]

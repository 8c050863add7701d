import {
  AssertionError,
  EngineError,
  formatBtc,
  type SatPerKvB,
  sat,
  satPerKvB,
  type Txid,
  toHex,
  type Wtxid,
} from '../../../kernel/index.ts'
import { JsonNumber } from '../../../protocol/json/index.ts'
import { answerInvalid, type RpcError } from '../envelope.ts'
import { Field } from '../field.ts'
import type { CallOptions } from '../rpc.ts'
import { type Verdict, verdictOfCode, verdictOfReject } from '../verdicts/index.ts'
import type { Caller } from './caller.ts'
import { type MempoolVerdict, readMempoolVerdict } from './transaction.ts'

/**
 * What came of handing a transaction to the node.
 * - `accepted`: it is in the node's mempool; Core says so also when it was there before.
 * - `already_known`: the node says that it had it, in the mempool or in a block.
 * - `refused`: the node looked and said no; `verdict` says what that means.
 * - `unknown`: nobody knows. Send the same bytes again; build nothing anew. `sent` false proves that no node saw it.
 */
export type SendOutcome =
  | { readonly status: 'accepted' | 'already_known'; readonly txid: Txid }
  | {
      readonly status: 'refused'
      readonly verdict: Exclude<Verdict, 'done'>
      readonly code: number
      readonly reason: string
    }
  | { readonly status: 'unknown'; readonly sent: boolean; readonly error: EngineError }

/** Bytes to publish, with the id that our own code computed from them. */
export interface SendRequest {
  readonly txid: Txid
  readonly raw: Uint8Array
  /** The node refuses above this rate; its own default is 0.1 BTC per 1000 vbytes. */
  readonly maxRate?: SatPerKvB
}

export interface PackageResult {
  readonly message: string
  readonly transactions: readonly {
    readonly wtxid: Wtxid
    readonly txid: Txid
    readonly error?: string
    readonly verdict?: Verdict
  }[]
  readonly replaced: readonly Txid[]
}

/** Core's own default: 0.1 BTC per 1000 vbytes. */
const DEFAULT_MAX_RATE = satPerKvB(10_000_000n)

/** Publishing. These calls are sent once; repeating is the decision of whoever knows what was promised. */
export const sendCalls = ({ call, rpc }: Caller) => ({
  /** Never throws for what the world did: every failure is an outcome. */
  sendRawTransaction: async (
    request: SendRequest,
    options: CallOptions = {},
  ): Promise<SendOutcome> => {
    const params = [toHex(request.raw), ...maxRateOf(request.maxRate)]
    try {
      const reply = await rpc.ask('sendrawtransaction', params, options)
      if (!reply.ok) return refusalOf(request.txid, reply.error)
      const txid = new Field('sendrawtransaction', reply.result).txid()
      if (txid === request.txid) return { status: 'accepted', txid }
      throw answerInvalid('sendrawtransaction', 'result', 'is the id of another transaction')
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      return { status: 'unknown', sent: error.details['sent'] !== false, error }
    }
  },
  /** Asks whether the node would take them. Changes nothing. The limit is always said, as btcd demands. */
  testMempoolAccept: (
    raws: readonly Uint8Array[],
    maxRate: SatPerKvB = DEFAULT_MAX_RATE,
    options?: CallOptions,
  ): Promise<readonly MempoolVerdict[]> =>
    call(
      'testmempoolaccept',
      [raws.map(toHex), ...maxRateOf(maxRate)],
      (field) => field.list(readMempoolVerdict),
      options,
    ),
  /** Child with parents at once, so that a child can pay for a parent below the minimum (Core 26 and later). */
  submitPackage: (raws: readonly Uint8Array[], options?: CallOptions): Promise<PackageResult> =>
    call('submitpackage', [raws.map(toHex)], readPackage, options),
})

function maxRateOf(rate: SatPerKvB | undefined): readonly JsonNumber[] {
  if (rate === undefined) return []
  // Core reads 0 as "no limit at all".
  if (rate === 0n) throw new AssertionError('a highest fee rate of 0 would lift the limit')
  return [new JsonNumber(formatBtc(sat(rate)))]
}

function refusalOf(txid: Txid, error: RpcError): SendOutcome {
  const verdict = verdictOfCode(error.code, error.message)
  if (verdict === 'done') return { status: 'already_known', txid }
  return { status: 'refused', verdict, code: error.code, reason: error.message }
}

function readPackage(field: Field): PackageResult {
  return {
    message: field.get('package_msg').text(),
    transactions: field.get('tx-results').entries((item) => {
      const error = item.maybe('error')?.text()
      return {
        wtxid: item.keyAsTxid() as string as Wtxid,
        txid: item.get('txid').txid(),
        ...(error === undefined ? {} : { error, verdict: verdictOfReject(error) }),
      }
    }),
    replaced: field.maybe('replaced-transactions')?.list((item) => item.txid()) ?? [],
  }
}

import type { JsonValue, JsonWritable } from '../../protocol/json/index.ts'
import { createCaller, refusedCall } from './calls/caller.ts'
import { chainCalls } from './calls/chain.ts'
import { mempoolCalls } from './calls/mempool.ts'
import { networkCalls } from './calls/network.ts'
import { psbtCalls } from './calls/psbt.ts'
import { sendCalls } from './calls/send.ts'
import { transactionCalls } from './calls/transaction.ts'
import { walletCalls } from './calls/wallet.ts'
import { type BitcoindOptions, settle } from './options.ts'
import { type CallOptions, createRpc, type Rpc } from './rpc.ts'

type ChainCalls = ReturnType<typeof chainCalls>
type MempoolCalls = ReturnType<typeof mempoolCalls>
type TransactionCalls = ReturnType<typeof transactionCalls>
type NetworkCalls = ReturnType<typeof networkCalls>
type PsbtCalls = ReturnType<typeof psbtCalls>
type SendCalls = ReturnType<typeof sendCalls>
type HistoryAndChangeCalls = ReturnType<typeof walletCalls>
export interface BitcoindWallet extends HistoryAndChangeCalls {}

/**
 * Typed calls to one node. Outside data becomes typed here or is refused (NODE_ANSWER_INVALID). Reads are repeated after
 * transport faults within their deadline; everything else is sent once.
 */
export interface BitcoindClient
  extends ChainCalls,
    MempoolCalls,
    TransactionCalls,
    NetworkCalls,
    PsbtCalls,
    SendCalls {
  /** Calls to the node's wallet of this name. */
  wallet(name: string): BitcoindWallet
  /** Any method, untyped. @throws NODE_CALL_REFUSED, NODE_METHOD_MISSING */
  call(method: string, params?: readonly JsonWritable[], options?: CallOptions): Promise<JsonValue>
  readonly rpc: Rpc
  close(): void
}

/** @throws NODE_OPTIONS_INVALID */
export function createBitcoindClient(options: BitcoindOptions): BitcoindClient {
  const rpc = createRpc(settle(options))
  const caller = createCaller(rpc)
  return {
    ...chainCalls(caller),
    ...mempoolCalls(caller),
    ...transactionCalls(caller),
    ...networkCalls(caller),
    ...psbtCalls(caller),
    ...sendCalls(caller),
    wallet: (name) => walletCalls(caller, name),
    call: async (method, params = [], callOptions = {}) => {
      const reply = await rpc.ask(method, params, callOptions)
      if (!reply.ok) throw refusedCall(method, reply.error)
      return reply.result
    },
    rpc,
    close: () => rpc.close(),
  }
}

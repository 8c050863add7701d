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
import { type CallOptions, createRpc } from './rpc.ts'

export type BitcoindClient = ReturnType<typeof createBitcoindClient>

/**
 * Typed calls to one node. Outside data becomes typed here or is refused (NODE_ANSWER_INVALID). Reads are repeated after
 * transport faults within their deadline; everything else is sent once.
 * @throws NODE_OPTIONS_INVALID
 */
export function createBitcoindClient(options: BitcoindOptions) {
  const rpc = createRpc(settle(options))
  const caller = createCaller(rpc)
  return {
    ...chainCalls(caller),
    ...mempoolCalls(caller),
    ...transactionCalls(caller),
    ...networkCalls(caller),
    ...psbtCalls(caller),
    ...sendCalls(caller),
    /** Calls to the node's wallet of this name. */
    wallet: (name: string) => walletCalls(caller, name),
    /** Any method, untyped. @throws NODE_CALL_REFUSED, NODE_METHOD_MISSING */
    call: async (
      method: string,
      params: readonly JsonWritable[] = [],
      callOptions: CallOptions = {},
    ): Promise<JsonValue> => {
      const reply = await rpc.ask(method, params, callOptions)
      if (!reply.ok) throw refusedCall(method, reply.error)
      return reply.result
    },
    rpc,
    close: () => rpc.close(),
  }
}

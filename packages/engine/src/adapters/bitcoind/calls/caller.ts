import { EngineError } from '../../../kernel/index.ts'
import type { JsonWritable } from '../../../protocol/json/index.ts'
import type { RpcError } from '../envelope.ts'
import { Field } from '../field.ts'
import type { CallOptions, Rpc } from '../rpc.ts'

/** Calls with a reader each: the door through which outside data becomes typed. */
export interface Caller {
  /** @throws NODE_CALL_REFUSED or NODE_METHOD_MISSING for the node's own errors, and what `Rpc.ask` throws. */
  call<T>(
    method: string,
    params: readonly JsonWritable[],
    read: (result: Field) => T,
    options?: CallOptions,
  ): Promise<T>
  /** As `call`, but an error that `absent` recognises means that there is no such thing: undefined. */
  find<T>(
    method: string,
    params: readonly JsonWritable[],
    read: (result: Field) => T,
    absent: (error: RpcError) => boolean,
    options?: CallOptions,
  ): Promise<T | undefined>
  readonly rpc: Rpc
}

export const RPC_INVALID_ADDRESS_OR_KEY = -5
export const RPC_INVALID_PARAMETER = -8

/** Core's number for "no such block, transaction or address". */
export const isNotFound = (error: RpcError): boolean => error.code === RPC_INVALID_ADDRESS_OR_KEY

/** Core answers -8; btcd has the same number as for everything else, -1, so its words decide. */
export const isOutOfRange = (error: RpcError): boolean =>
  (error.code === RPC_INVALID_PARAMETER || error.code === -1) && /out of range/i.test(error.message)

/** btcd answers -1 for methods that it knows by name only; -1 alone is any error at all. */
export const isMethodMissing = (error: RpcError): boolean =>
  error.code === -32601 ||
  (error.code === -1 &&
    /command unimplemented|does not implement wallet commands/i.test(error.message))

export function refusedCall(method: string, error: RpcError): EngineError {
  const details = { method, rpc_code: error.code, rpc_message: error.message }
  return isMethodMissing(error)
    ? new EngineError('NODE_METHOD_MISSING', `the node does not have ${method}`, { details })
    : new EngineError('NODE_CALL_REFUSED', `${method}: ${error.message} (${error.code})`, {
        details,
      })
}

export function createCaller(rpc: Rpc, defaults: CallOptions = {}): Caller {
  const ask = (method: string, params: readonly JsonWritable[], options: CallOptions = {}) =>
    rpc.ask(method, params, { ...defaults, ...options })
  return {
    rpc,
    call: async (method, params, read, options) => {
      const reply = await ask(method, params, options)
      if (!reply.ok) throw refusedCall(method, reply.error)
      return read(new Field(method, reply.result))
    },
    find: async (method, params, read, absent, options) => {
      const reply = await ask(method, params, options)
      if (reply.ok) return read(new Field(method, reply.result))
      if (absent(reply.error)) return undefined
      throw refusedCall(method, reply.error)
    },
  }
}

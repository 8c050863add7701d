import { blockchainMethods } from './blockchain.ts'
import { coinSetMethods } from './coinset.ts'
import { controlMethods } from './control.ts'
import { descriptorMethods } from './descriptors.ts'
import { RpcError, rpcError } from './errors.ts'
import { type Json, writeJson } from './json.ts'
import { mempoolMethods } from './mempool.ts'
import { bindArguments, type Method, method, type RpcContext } from './method.ts'
import { miningMethods } from './mining.ts'
import { packageMethods } from './package.ts'
import { psbtMethods } from './psbt.ts'
import { rawSigningMethods } from './rawsign.ts'
import { statsMethods } from './stats.ts'
import { transactionMethods } from './transactions.ts'
import { walletMethods } from './wallet/index.ts'

const METHODS: ReadonlyMap<string, Method> = new Map(
  [
    ...blockchainMethods,
    ...coinSetMethods,
    ...controlMethods,
    ...descriptorMethods,
    ...mempoolMethods,
    ...miningMethods,
    ...packageMethods,
    ...psbtMethods,
    ...rawSigningMethods,
    ...statsMethods,
    ...transactionMethods,
    ...walletMethods,
    method('help', ['command:string?'], (_, [command]) => helpText(command)),
  ].map((entry) => [entry.name, entry]),
)
/** Names of every call that is served, for `help` and the README's table. */
export const methodNames = (): readonly string[] => [...METHODS.keys()].sort()

function helpText(command: unknown): string {
  if (command === undefined) return methodNames().join('\n')
  const known = METHODS.get(String(command))
  if (!known) return `help: unknown command: ${command}\n`
  return [known.name, ...known.parameters.map(({ name }) => name)].join(' ')
}

/** Runs one call. @throws RpcError with Core's code and message. */
export function callMethod(context: RpcContext, name: string, params: unknown): Json {
  const target = METHODS.get(name)
  if (!target) throw rpcError('methodNotFound', 'Method not found')
  return target.run(context, bindArguments(target, params))
}

/** A call as it stands in a body, checked as far as Core checks before it runs. */
export interface Request {
  readonly id: Json | undefined
  /** JSON-RPC 2.0: other answers, other statuses. */
  readonly modern: boolean
  readonly method: string
  readonly params: unknown
}
/** @throws RpcError -32600, with `id` and version read as far as possible into `seen`. */
export function readRequest(value: unknown, seen: { id?: Json; modern?: boolean }): Request {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw rpcError('invalidRequest', 'Invalid Request object')
  }
  const body = value as Record<string, unknown>
  const id = 'id' in body ? (body['id'] as Json) : undefined
  if (id !== undefined) seen.id = id
  const modern = readVersion(body['jsonrpc'])
  seen.modern = modern
  const { method: name, params } = body
  if (name === undefined || name === null) throw rpcError('invalidRequest', 'Missing method')
  if (typeof name !== 'string') throw rpcError('invalidRequest', 'Method must be a string')
  const shape = params === undefined || params === null ? 'object' : typeof params
  if (shape !== 'object') throw rpcError('invalidRequest', 'Params must be an array or object')
  return { id, modern, method: name, params: params ?? [] }
}
function readVersion(version: unknown): boolean {
  if (version === undefined || version === null) return false
  if (typeof version !== 'string') {
    throw rpcError('invalidRequest', 'jsonrpc field must be a string')
  }
  if (version === '2.0') return true
  // Core took any version before 2.0 was understood: 1.0 and 1.1 are in use.
  if (version === '1.0' || version === '1.1') return false
  throw rpcError('invalidRequest', 'JSON-RPC version not supported')
}

/** One answer object as Core writes it, without the line end. */
export function writeAnswer(
  outcome: { readonly result: Json } | { readonly error: RpcError },
  id: Json | undefined,
  modern: boolean,
): string {
  const error =
    'error' in outcome
      ? `{"code":${outcome.error.code},"message":${JSON.stringify(outcome.error.message)}}`
      : undefined
  const own = writeJson(id ?? null)
  if (modern) {
    const part = 'error' in outcome ? `"error":${error}` : `"result":${writeJson(outcome.result)}`
    return `{"jsonrpc":"2.0",${part},"id":${own}}`
  }
  const result = 'result' in outcome ? writeJson(outcome.result) : 'null'
  return `{"result":${result},"error":${error ?? 'null'},"id":${own}}`
}
/** Our own bugs answer like Core's: -1 with the text. */
export const asRpcError = (fault: unknown): RpcError =>
  fault instanceof RpcError
    ? fault
    : rpcError('misc', fault instanceof Error ? fault.message : String(fault))

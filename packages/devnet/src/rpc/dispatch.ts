import { addressMethods } from './addresses.ts'
import { blockchainMethods } from './blockchain.ts'
import { blockFilterMethods } from './blockfilters.ts'
import { chainWorkMethods } from './chainwork.ts'
import { coinSetMethods } from './coinset.ts'
import { controlMethods } from './control.ts'
import { deploymentMethods } from './deployments.ts'
import { descriptorMethods } from './descriptors.ts'
import { RpcError, rpcError } from './errors.ts'
import { feeMethods } from './fees.ts'
import { helpOf, overview } from './help.ts'
import { type Json, writeJson } from './json.ts'
import { mempoolMethods } from './mempool.ts'
import { bindArguments, type Method, method, type RpcContext } from './method.ts'
import { miningMethods } from './mining.ts'
import { nodeMethods } from './node.ts'
import { packageMethods } from './package.ts'
import { powerMethods } from './powers.ts'
import { proofMethods } from './proofs.ts'
import { psbtMethods } from './psbt.ts'
import { rawSigningMethods } from './rawsign.ts'
import { statsMethods } from './stats.ts'
import { SUMMARIES } from './summaries.ts'
import { submissionMethods } from './submission.ts'
import { templateMethods } from './template.ts'
import { transactionMethods } from './transactions.ts'
import { waitMethods } from './wait.ts'
import { walletMethods } from './wallet/index.ts'

const METHODS: ReadonlyMap<string, Method> = new Map(
  [
    ...addressMethods,
    ...blockchainMethods,
    ...blockFilterMethods,
    ...chainWorkMethods,
    ...coinSetMethods,
    ...controlMethods,
    ...deploymentMethods,
    ...descriptorMethods,
    ...feeMethods,
    ...mempoolMethods,
    ...miningMethods,
    ...nodeMethods,
    ...packageMethods,
    ...powerMethods,
    ...proofMethods,
    ...psbtMethods,
    ...rawSigningMethods,
    ...statsMethods,
    ...submissionMethods,
    ...templateMethods,
    ...transactionMethods,
    ...waitMethods,
    ...walletMethods,
    method('help', ['command:string?'], (_, [command]) => helpText(command)),
  ].map((entry) => [entry.name, entry]),
)
/** Names of every call that is served, for `help` and the README's table. */
export const methodNames = (): readonly string[] => [...METHODS.keys()].sort()

function helpText(command: unknown): string {
  if (command === undefined || command === '') return overview(METHODS)
  const name = String(command)
  const known = METHODS.get(name)
  return known ? helpOf(known, SUMMARIES[name]) : `help: unknown command: ${name}`
}

/** Runs one call; a few wait for the chain and answer later. @throws RpcError with Core's code and message. */
export function startMethod(
  context: RpcContext,
  name: string,
  params: unknown,
): Json | Promise<Json> {
  const target = METHODS.get(name)
  if (!target) throw rpcError('methodNotFound', 'Method not found')
  return target.run(context, bindArguments(target, params))
}
/** Runs one call that answers at once. @throws RpcError, also for a call that has to wait. */
export function callMethod(context: RpcContext, name: string, params: unknown = []): Json {
  const answer = startMethod(context, name, params)
  if (!(answer instanceof Promise)) return answer
  throw rpcError('misc', `${name} waits for the chain: use rpc() instead of call()`)
}

/** A call as it stands in a body, checked as far as Core checks before it runs. */
export interface Request {
  readonly method: string
  readonly params: unknown
}
/**
 * What is known of a request when its answer is written. Core keeps both from one member of a batch to the next until that
 * one says otherwise.
 */
export interface Envelope {
  /** JSON text; undefined where the request has none. */
  id: string | undefined
  /** JSON-RPC 2.0: other answers, other statuses, and without an id no answer at all. */
  modern: boolean
}
/** @throws RpcError -32600, with id and version read as far as possible into `seen`. */
export function readRequest(value: unknown, seen: Envelope): Request {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw rpcError('invalidRequest', 'Invalid Request object')
  }
  const body = value as Record<string, unknown>
  seen.id = Object.hasOwn(body, 'id') ? writeJson(body['id'] as Json) : undefined
  seen.modern = false
  seen.modern = readVersion(own(body, 'jsonrpc'))
  const name = own(body, 'method')
  const params = own(body, 'params')
  if (name === undefined || name === null) throw rpcError('invalidRequest', 'Missing method')
  if (typeof name !== 'string') throw rpcError('invalidRequest', 'Method must be a string')
  const shape = params === undefined || params === null ? 'object' : typeof params
  if (shape !== 'object') throw rpcError('invalidRequest', 'Params must be an array or object')
  return { method: name, params: params ?? [] }
}
const own = (body: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(body, name) ? body[name] : undefined
function readVersion(version: unknown): boolean {
  if (version === undefined || version === null) return false
  if (typeof version !== 'string') {
    throw rpcError('invalidRequest', 'jsonrpc field must be a string')
  }
  if (version === '2.0') return true
  if (version === '1.0') return false
  throw rpcError('invalidRequest', 'JSON-RPC version not supported')
}
/** One answer object as Core writes it, without the line end. */
export function writeAnswer(
  outcome: { readonly result: Json } | { readonly error: RpcError },
  { id, modern }: Envelope,
): string {
  const error =
    'error' in outcome
      ? `{"code":${outcome.error.code},"message":${writeJson(outcome.error.message)}}`
      : undefined
  const tail = id === undefined ? '' : `,"id":${id}`
  if (modern) {
    const part = 'error' in outcome ? `"error":${error}` : `"result":${writeJson(outcome.result)}`
    return `{"jsonrpc":"2.0",${part}${tail}}`
  }
  const result = 'result' in outcome ? writeJson(outcome.result) : 'null'
  return `{"result":${result},"error":${error ?? 'null'}${tail}}`
}
/** Our own bugs answer like Core's: -1 with the text. */
export const asRpcError = (fault: unknown): RpcError =>
  fault instanceof RpcError
    ? fault
    : rpcError('misc', fault instanceof Error ? fault.message : String(fault))

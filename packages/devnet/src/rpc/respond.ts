import { type Fault, type Faults, type TakenFault, UNDONE } from '../powers/faults.ts'
import { asRpcError, callMethod, type Request, readRequest, writeAnswer } from './dispatch.ts'
import { RpcError, rpcError } from './errors.ts'
import type { Json } from './json.ts'
import type { RpcContext } from './method.ts'

/** An answer and what the network does to it. */
export interface Reply {
  readonly status: number
  readonly body: string
  readonly fault?: Fault
}
export interface Responder {
  readonly context: RpcContext
  readonly faults: Faults
  /** Set while the node warms up: every call answers -28 with this text. */
  readonly warmingUp: () => string | undefined
  /** Called when a call is done, before anybody hears of it. */
  readonly settle: () => void
}
/** Calls of the devnet's own: they arm faults, so that no fault may hit them. */
export const CONTROL_PREFIX = 'devnet_'
export const WARMING_UP = 'Verifying blocks…'

interface Outcome {
  readonly result?: Json
  readonly error?: RpcError
  readonly fault?: Fault
}
/** Runs one request under the armed faults, which control calls pass by. Never throws. */
export function runRequest(responder: Responder, name: string, params: unknown): Outcome {
  const control = name.startsWith(CONTROL_PREFIX)
  const fault = control ? undefined : responder.faults.take(name)
  const more = fault ? { fault } : {}
  try {
    const warming = control ? undefined : responder.warmingUp()
    if (fault?.kind === 'warming_up') throw rpcError('inWarmup', WARMING_UP)
    if (warming !== undefined) throw rpcError('inWarmup', warming)
    if (fault?.kind === 'error') {
      throw new RpcError(fault.code ?? -1, fault.message ?? 'devnet fault')
    }
    if (fault && UNDONE.has(fault.kind)) return { result: null, ...more }
    const result = answer(responder, name, params, fault)
    responder.settle()
    return { result, ...more }
  } catch (thrown) {
    return { error: asRpcError(thrown), ...more }
  }
}
function answer(
  { context }: Responder,
  name: string,
  params: unknown,
  fault: TakenFault | undefined,
): Json {
  const regtest = fault?.instead
  const right = callMethod(regtest ? { ...context, regtest } : context, name, params)
  if (fault?.kind !== 'wrong') return right
  const wrong = typeof fault.answer === 'function' ? fault.answer(right) : fault.answer
  return (wrong ?? null) as Json
}

const statusOf = (error: RpcError): number => {
  if (error.code === -32600) return 400
  return error.code === -32601 ? 404 : 500
}
const line = (text: string): string => `${text}\n`

function single(responder: Responder, value: unknown): Reply {
  const seen: { id?: Json; modern?: boolean } = {}
  let request: Request
  try {
    request = readRequest(value, seen)
  } catch (thrown) {
    const error = asRpcError(thrown)
    return { status: statusOf(error), body: line(writeAnswer({ error }, seen.id, false)) }
  }
  const { result, error, fault } = runRequest(responder, request.method, request.params)
  const more = fault ? { fault } : {}
  // Only JSON-RPC 2.0 knows notifications: done, but not answered.
  if (request.modern && request.id === undefined) return { status: 204, body: '', ...more }
  const outcome = error ? { error } : { result: result ?? null }
  const status = error && !request.modern ? statusOf(error) : 200
  return { status, body: line(writeAnswer(outcome, request.id, request.modern)), ...more }
}
function batch(responder: Responder, values: readonly unknown[]): Reply {
  const answers: string[] = []
  let fault: Fault | undefined
  for (const value of values) {
    const seen: { id?: Json; modern?: boolean } = {}
    try {
      const request = readRequest(value, seen)
      const outcome = runRequest(responder, request.method, request.params)
      fault ??= outcome.fault
      if (request.modern && request.id === undefined) continue
      const { error } = outcome
      const shown = error ? { error } : { result: outcome.result ?? null }
      answers.push(writeAnswer(shown, request.id, request.modern))
    } catch (thrown) {
      answers.push(writeAnswer({ error: asRpcError(thrown) }, seen.id, seen.modern ?? false))
    }
  }
  const more = fault ? { fault } : {}
  if (answers.length === 0 && values.length > 0) return { status: 204, body: '', ...more }
  return { status: 200, body: line(`[${answers.join(',')}]`), ...more }
}

/** The answer to one HTTP body, with Core's statuses for both versions of JSON-RPC. */
export function respond(responder: Responder, text: string): Reply {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const error = rpcError('parse', 'Parse error')
    return { status: 500, body: line(writeAnswer({ error }, null, false)) }
  }
  if (Array.isArray(value)) return batch(responder, value)
  if (typeof value === 'object' && value !== null) return single(responder, value)
  const error = rpcError('parse', 'Top-level object parse error')
  return { status: 500, body: line(writeAnswer({ error }, null, false)) }
}

import { type Fault, type Faults, type TakenFault, UNDONE } from '../powers/faults.ts'
import { asRpcError, type Envelope, readRequest, startMethod, writeAnswer } from './dispatch.ts'
import { RpcError, rpcError } from './errors.ts'
import type { Json } from './json.ts'
import type { RpcContext } from './method.ts'
import { readJson } from './read.ts'

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
/** Runs one request under the armed faults, which control calls pass by. Never throws; who waits for the chain answers later. */
export function runRequest(
  responder: Responder,
  name: string,
  params: unknown,
): Outcome | Promise<Outcome> {
  const control = name.startsWith(CONTROL_PREFIX)
  const fault = control ? undefined : responder.faults.take(name)
  const more = fault ? { fault } : {}
  const failed = (thrown: unknown): Outcome => ({ error: asRpcError(thrown), ...more })
  const done = (right: Json): Outcome => {
    const result = fault?.kind === 'wrong' ? wrongAnswer(fault, right) : right
    responder.settle()
    return { result, ...more }
  }
  try {
    const warming = control ? undefined : responder.warmingUp()
    if (fault?.kind === 'warming_up') throw rpcError('inWarmup', WARMING_UP)
    if (warming !== undefined) throw rpcError('inWarmup', warming)
    if (fault?.kind === 'error') {
      throw new RpcError(fault.code ?? -1, fault.message ?? 'devnet fault')
    }
    if (fault && UNDONE.has(fault.kind)) return { result: null, ...more }
    const { context } = responder
    const regtest = fault?.instead
    const started = startMethod(regtest ? lagging(context, regtest, name) : context, name, params)
    return started instanceof Promise ? started.then(done).catch(failed) : done(started)
  } catch (thrown) {
    return failed(thrown)
  }
}
/** What a lagging node's wallets say lags as well. What they do reaches the real ones: an address is given away once. */
const LAGGING_QUESTIONS: ReadonlySet<string> = new Set([
  ...['getbalance', 'getbalances', 'getunconfirmedbalance', 'getwalletinfo', 'listunspent'],
  ...['gettransaction', 'listtransactions', 'listsinceblock', 'getreceivedbyaddress'],
  ...['getreceivedbylabel', 'listreceivedbyaddress', 'listreceivedbylabel'],
])
const lagging = (
  context: RpcContext,
  regtest: RpcContext['regtest'],
  name: string,
): RpcContext => ({
  ...context,
  regtest,
  ...(LAGGING_QUESTIONS.has(name) ? { wallets: context.wallets.seenFrom(regtest) } : {}),
})
function wrongAnswer({ answer }: TakenFault, right: Json): Json {
  const wrong = typeof answer === 'function' ? answer(right) : answer
  return (wrong ?? null) as Json
}

const statusOf = (error: RpcError): number => {
  if (error.code === -32600) return 400
  return error.code === -32601 ? 404 : 500
}
const line = (text: string): string => `${text}\n`
const failure = (thrown: unknown, seen: Envelope): Reply => {
  const error = asRpcError(thrown)
  return { status: statusOf(error), body: line(writeAnswer({ error }, seen)) }
}
/** Only JSON-RPC 2.0 knows notifications: done, but not answered. */
const isNotification = ({ id, modern }: Envelope): boolean => modern && id === undefined
const shown = ({ result, error }: Outcome) => (error ? { error } : { result: result ?? null })

function single(responder: Responder, value: unknown): Reply | Promise<Reply> {
  const seen: Envelope = { id: 'null', modern: false }
  const finish = (outcome: Outcome): Reply => {
    const { error, fault } = outcome
    const more = fault ? { fault } : {}
    if (isNotification(seen)) return { status: 204, body: '', ...more }
    const status = error && !seen.modern ? statusOf(error) : 200
    return { status, body: line(writeAnswer(shown(outcome), seen)), ...more }
  }
  try {
    const request = readRequest(value, seen)
    const outcome = runRequest(responder, request.method, request.params)
    return outcome instanceof Promise ? outcome.then(finish) : finish(outcome)
  } catch (thrown) {
    return failure(thrown, seen)
  }
}
/** One after the other, each in its own version; what fails stands between the others. */
async function batch(responder: Responder, values: readonly unknown[]): Promise<Reply> {
  const answers: string[] = []
  const seen: Envelope = { id: 'null', modern: false }
  let fault: Fault | undefined
  for (const value of values) {
    let outcome: Outcome
    try {
      const request = readRequest(value, seen)
      const started = runRequest(responder, request.method, request.params)
      outcome = started instanceof Promise ? await started : started
      fault ??= outcome.fault
    } catch (thrown) {
      outcome = { error: asRpcError(thrown) }
    }
    if (!isNotification(seen)) answers.push(writeAnswer(shown(outcome), seen))
  }
  const more = fault ? { fault } : {}
  if (answers.length === 0 && values.length > 0) return { status: 204, body: '', ...more }
  return { status: 200, body: line(`[${answers.join(',')}]`), ...more }
}

/** The answer to one HTTP body, with Core's statuses for both versions of JSON-RPC. */
export function respond(responder: Responder, body: Uint8Array | string): Reply | Promise<Reply> {
  const unread: Envelope = { id: 'null', modern: false }
  let value: unknown
  try {
    value = readJson(body)
  } catch {
    // Whatever is wrong with the text, Core says no more than this.
    return failure(rpcError('parse', 'Parse error'), unread)
  }
  if (Array.isArray(value)) return batch(responder, value)
  if (typeof value === 'object' && value !== null) return single(responder, value)
  return failure(rpcError('parse', 'Top-level object parse error'), unread)
}

import { EngineError } from '../../kernel/index.ts'
import {
  formatJson,
  isJsonArray,
  isJsonObject,
  type JsonValue,
  type JsonWritable,
  jsonInteger,
  parseJson,
} from '../../protocol/json/index.ts'

export interface RpcCall {
  readonly method: string
  readonly params: readonly JsonWritable[]
}

/** What the node said: a result, or an error with a number and a text that both matter. */
export type RpcReply =
  | { readonly ok: true; readonly result: JsonValue }
  | { readonly ok: false; readonly error: RpcError }

export interface RpcError {
  readonly code: number
  readonly message: string
}

export const answerInvalid = (method: string, field: string, reason: string): EngineError =>
  new EngineError('NODE_ANSWER_INVALID', `answer to ${method}: ${field} ${reason}`, {
    details: { method, field },
  })

const requestOf = (version: string, call: RpcCall, id: number): JsonWritable => ({
  jsonrpc: version,
  id,
  method: call.method,
  params: call.params,
})

export const formatCall = (version: string, call: RpcCall, id: number): string =>
  formatJson(requestOf(version, call, id))

export const formatBatch = (version: string, calls: readonly RpcCall[], first: number): string =>
  formatJson(calls.map((call, index) => requestOf(version, call, first + index)))

/** @throws NODE_ANSWER_INVALID unless `body` is the answer to the request with this id. */
export function readReply(method: string, id: number, body: Uint8Array): RpcReply {
  return replyOf(method, id, parse(method, body))
}

/**
 * Answers in the order of the calls, whatever order the node used. One error object in place of the list counts
 * for every call. @throws NODE_ANSWER_INVALID when an answer is missing, doubled or foreign.
 */
export function readBatch(calls: readonly RpcCall[], first: number, body: Uint8Array): RpcReply[] {
  const value = parse('batch', body)
  if (!isJsonArray(value)) {
    const reply = replyOf('batch', undefined, value)
    if (reply.ok) throw answerInvalid('batch', 'the answer', 'is not a list')
    return calls.map(() => reply)
  }
  const replies: (RpcReply | undefined)[] = calls.map(() => undefined)
  for (const item of value) {
    const id = isJsonObject(item) ? jsonInteger(item['id']) : undefined
    const index = id === undefined ? -1 : id - first
    const call = calls[index]
    if (!call || id === undefined) throw answerInvalid('batch', 'id', 'is none of those asked')
    if (replies[index]) throw answerInvalid('batch', 'id', 'came twice')
    replies[index] = replyOf(call.method, id, item)
  }
  return replies.map((reply, index) => {
    if (!reply) throw answerInvalid('batch', `answer ${index}`, 'is missing')
    return reply
  })
}

function parse(method: string, body: Uint8Array): JsonValue {
  const parsed = parseJson(body)
  if (parsed.ok) return parsed.value
  throw new EngineError('NODE_ANSWER_INVALID', `answer to ${method}: ${parsed.error.message}`, {
    details: { method, field: 'the answer', ...parsed.error.details },
  })
}

function replyOf(method: string, id: number | undefined, value: JsonValue): RpcReply {
  if (!isJsonObject(value)) throw answerInvalid(method, 'the answer', 'is not an object')
  const error = value['error'] ?? null
  // A node that could not even read our request does not know its id.
  const anonymous = value['id'] === null && error !== null
  if (id !== undefined && !anonymous && jsonInteger(value['id']) !== id) {
    throw answerInvalid(method, 'id', 'is not the one asked')
  }
  if (error !== null) {
    if ((value['result'] ?? null) !== null) {
      throw answerInvalid(method, 'result', 'stands beside an error')
    }
    return { ok: false, error: errorOf(method, error) }
  }
  const result = value['result']
  if (result === undefined) throw answerInvalid(method, 'result', 'is missing')
  return { ok: true, result }
}

function errorOf(method: string, value: JsonValue): RpcError {
  if (!isJsonObject(value)) throw answerInvalid(method, 'error', 'is not an object')
  const code = jsonInteger(value['code'])
  const message = value['message']
  if (code === undefined) throw answerInvalid(method, 'error.code', 'is not an integer')
  if (typeof message !== 'string') throw answerInvalid(method, 'error.message', 'is not a text')
  return { code, message: printable(message) }
}

/** The node's words go into logs and errors: no control characters that would forge a line there, and no novels. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  return clean.length > 1000 ? `${clean.slice(0, 1000)}…` : clean
}

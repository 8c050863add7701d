import { createServer } from 'node:http'
import { type HttpNode, type Script, serve } from './http-node.ts'

/** What a method answers: a value, or an error by `fail`. */
export type Methods = Readonly<Record<string, (...params: never[]) => unknown>>

class Failure {
  readonly code: number
  readonly message: string
  constructor(code: number, message: string) {
    this.code = code
    this.message = message
  }
}
export const fail = (code: number, message: string): Failure => new Failure(code, message)

interface Request {
  readonly id: number
  readonly method: string
  readonly params: never[]
}
export interface RpcNode extends HttpNode {
  /** Methods called so far, batches taken apart. */
  readonly called: readonly string[]
}

/** A node made of a few functions, for what no real node here can be brought to say. */
export async function serveMethods(methods: Methods, port = 0): Promise<RpcNode> {
  const called: string[] = []
  const reply = ({ id, method, params }: Request) => {
    called.push(method)
    const answer = methods[method]
    const result = answer ? answer(...params) : fail(-32601, 'Method not found')
    return result instanceof Failure
      ? { result: null, error: { code: result.code, message: result.message }, id }
      : { result, error: null, id }
  }
  const script: Script = ({ body }) => {
    const request = JSON.parse(body) as Request | Request[]
    const answer = Array.isArray(request) ? request.map(reply) : reply(request)
    return { status: 200, responseText: `${JSON.stringify(answer)}\n` }
  }
  const node = await serve(script, createServer(), port)
  return { ...node, called }
}

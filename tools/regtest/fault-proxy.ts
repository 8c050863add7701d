import { request as overTls } from 'node:https'
import { type ClientRequest, type IncomingMessage, request as overPlain } from 'node:http'
import type { BitcoindOptions } from '@kaccy/bitcoin/adapters/bitcoind'
import { serve } from '../../test/counterparts/http-node.ts'

/** What goes wrong with the next call of a method. */
export interface ProxyFault {
  readonly method: string
  /** `timeout_before`: the node never sees it; `timeout_after`: it does it, and the answer is lost; `error`: this is the answer. */
  readonly kind: 'timeout_before' | 'timeout_after' | 'error'
  readonly code?: number
  readonly message?: string
}
export interface FaultProxy {
  /** Reaches the node through the proxy. */
  readonly source: BitcoindOptions
  arm(fault: ProxyFault): void
  /** Faults that nothing hit yet. */
  pending(): readonly ProxyFault[]
  stop(): Promise<void>
}
interface Call {
  readonly id: unknown
  readonly method: string
}
type Answer = { readonly status: number; readonly text: string }

/** Stands between an engine and a real node that cannot be told to fail, and fails for it. */
export async function startFaultProxy(source: BitcoindOptions): Promise<FaultProxy> {
  const armed: ProxyFault[] = []
  const proxy = await serve(async ({ authorization, body }) => {
    const calls = callsIn(body)
    const at = armed.findIndex(({ method }) => calls.some((call) => call.method === method))
    const [fault] = at < 0 ? [] : armed.splice(at, 1)
    if (fault?.kind === 'timeout_before') return undefined
    if (fault?.kind === 'error') return failed(fault, calls)
    const answer = await forward(source, authorization, body)
    return fault ? undefined : { status: answer.status, responseText: answer.text }
  })
  const { tls: _, ...plain } = source
  return {
    source: { ...plain, url: proxy.url },
    arm: (fault) => void armed.push(fault),
    pending: () => [...armed],
    stop: () => proxy.stop(),
  }
}

function callsIn(body: string): readonly Call[] {
  const parsed = JSON.parse(body) as Call | readonly Call[]
  return [parsed].flat() as readonly Call[]
}
function failed({ code = -1, message = 'fault' }: ProxyFault, calls: readonly Call[]) {
  const answers = calls.map(({ id }) => ({ result: null, error: { code, message }, id }))
  const text = JSON.stringify(answers.length === 1 ? answers[0] : answers)
  return { status: 500, responseText: text }
}

/** The same body and credentials; the answer as the node gave it. */
function forward(
  { url, tls }: BitcoindOptions,
  authorization: string,
  body: string,
): Promise<Answer> {
  const headers = { authorization, 'content-type': 'application/json' }
  const options = { method: 'POST', headers, agent: false } as const
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
    }
    const asked: ClientRequest = url.startsWith('https:')
      ? overTls(url, { ...options, ...(tls?.ca === undefined ? {} : { ca: tls.ca }) }, answered)
      : overPlain(url, options, answered)
    asked.on('error', reject)
    asked.end(body)
  })
}

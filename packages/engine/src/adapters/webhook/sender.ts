import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'
import {
  checkWebhookUrl,
  type TargetRules,
  type WebhookAnswer,
  type WebhookPost,
  type WebhookSender,
  type WebhookTarget,
  whyNotReach,
} from '../../capabilities/webhooks/index.ts'
import type { Timers } from '../../kernel/index.ts'
import { parseIp } from '../../protocol/ip/index.ts'
import { Exchange } from './exchange.ts'
import { type Resolve, systemResolve } from './resolve.ts'

export interface WebhookSenderOptions {
  /** What targets are allowed beyond public `https`; the same that the engine was made with. */
  readonly targets?: TargetRules
  /** From the first look-up to the last byte. Milliseconds; default 10 seconds. */
  readonly timeoutMs?: number
  /** Certificates (PEM) trusted beside the system's, for receivers in one's own network. */
  readonly ca?: readonly string[]
  /** Where addresses come from; the system's name servers unless given. */
  readonly resolve?: Resolve
  readonly timers?: Timers
}

export const TIMEOUT_MS = 10_000
const failed = (
  reason: Extract<WebhookAnswer, { kind: 'failed' }>['reason'],
  message: string,
): WebhookAnswer => ({ kind: 'failed', reason, message })

const systemTimers: Timers = {
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds)
    return () => clearTimeout(timer)
  },
}

/**
 * Sends to foreign addresses. The name is resolved once for each delivery, every address of it is checked, and the connection
 * goes to one of those addresses and not to the name: so nobody can answer the check with one address and the connection
 * with another. Redirects are not followed, see ADR 0009.
 */
export function createWebhookSender(options: WebhookSenderOptions = {}): WebhookSender {
  const { timers = systemTimers, timeoutMs = TIMEOUT_MS } = options
  return {
    send: (post) =>
      new Promise((resolve) => {
        const end = new AbortController()
        const finish = (answer: WebhookAnswer) => {
          cancel()
          post.signal?.removeEventListener('abort', abandon)
          end.abort()
          resolve(answer)
        }
        const abandon = () => finish(failed('broken', 'given up by the sender'))
        const late = () => finish(failed('timeout', `no answer within ${timeoutMs / 1000} s`))
        const cancel = timers.after(timeoutMs, late)
        post.signal?.addEventListener('abort', abandon, { once: true })
        if (post.signal?.aborted) abandon()
        else deliver(options, post, end.signal).then(finish)
      }),
  }
}

/** Never rejects. Ends early, with an answer that nobody waits for, when `signal` says so. */
async function deliver(
  options: WebhookSenderOptions,
  post: WebhookPost,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const { targets = {}, resolve = systemResolve } = options
  const checked = checkWebhookUrl(post.url, targets)
  if (!checked.ok) return failed('refused', checked.error.message)
  const target = checked.value
  let addresses: readonly string[]
  try {
    addresses = isIP(target.host) === 0 ? await resolve(target.host) : [target.host]
  } catch (error) {
    return failed('unresolved', `the name ${target.host} does not resolve (${nameOf(error)})`)
  }
  if (addresses.length === 0) return failed('unresolved', `the name ${target.host} has no address`)
  const reason = whyNotAny(target, addresses, targets)
  if (reason !== undefined) return failed('refused', `${target.host} ${reason}`)
  return connectToAny(options, target, addresses, post, signal)
}

/** One address that must not be reached is enough: a name that mixes them is an attack or a mistake. */
function whyNotAny(
  target: WebhookTarget,
  addresses: readonly string[],
  rules: TargetRules,
): string | undefined {
  for (const text of addresses) {
    const address = parseIp(text)
    if (!address) return 'has an address that cannot be read'
    const reason = whyNotReach(target, address, rules)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** The next address is tried only where the one before did not even connect: nothing is sent twice. */
async function connectToAny(
  options: WebhookSenderOptions,
  target: WebhookTarget,
  addresses: readonly string[],
  post: WebhookPost,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  let last = failed('unreachable', 'nothing was tried')
  for (const address of addresses) {
    if (signal.aborted) return last
    last = await exchange(options, target, address, post, signal)
    if (last.kind === 'answered' || last.reason !== 'unreachable') return last
  }
  return last
}

function exchange(
  { targets = {}, ca }: WebhookSenderOptions,
  target: WebhookTarget,
  address: string,
  post: WebhookPost,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const url = new URL(target.url)
  const send = target.secure ? secureRequest : plainRequest
  const request = send({
    host: address,
    port: target.port,
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    // A connection of its own: nothing of one receiver's is left for another delivery.
    agent: false,
    headers: {
      ...post.headers,
      host: url.host,
      connection: 'close',
      'content-length': Buffer.byteLength(post.body),
    },
    ...(target.secure
      ? {
          // The certificate must be for the name, although the connection goes to an address.
          servername: isIP(target.host) === 0 ? target.host : '',
          minVersion: 'TLSv1.2' as const,
          ...(ca === undefined ? {} : { ca: [...rootCertificates, ...ca] }),
        }
      : {}),
  })
  const isFit = (remote: string) => {
    const reached = parseIp(remote)
    return reached !== undefined && whyNotReach(target, reached, targets) === undefined
  }
  return new Exchange(request, isFit).run(post.body, signal)
}

/** The system's short name of an error (`ENOTFOUND`): safe to show, unlike messages that may quote input. */
const nameOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'error'

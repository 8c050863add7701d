import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import {
  type IpAddress,
  isInside,
  isPublicIp,
  parseIp,
  parseIpRange,
} from '../../protocol/ip/index.ts'

/** What the configuration allows beyond public `https` targets. Nothing, unless it says so. */
export interface TargetRules {
  /** Address ranges (CIDR) of the operator's own network: any port there, and plain `http`. */
  readonly allow?: readonly string[]
  /** Any address, any port, plain `http`: for development and tests only. */
  readonly allowPrivate?: boolean
  /** Ports of public targets. Default 443 and 8443. */
  readonly ports?: readonly number[]
}

/** A URL that may be a target, taken apart. */
export interface WebhookTarget {
  /** Normalised: lower-case host in its ASCII form, default port left out. */
  readonly url: string
  readonly secure: boolean
  /** A name without trailing dot, or an address without brackets. */
  readonly host: string
  readonly port: number
  /** Present where the host is an address. */
  readonly address?: IpAddress
}

const LONGEST_URL = 2048
const LONGEST_NAME = 253
const PORTS: readonly number[] = [443, 8443]
/** Names that mean something inside a network only: RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`, and what routers use. */
const INSIDE =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|private|corp|home|lan|arpa|onion)$/
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

const no = (reason: string) =>
  refuse('WEBHOOK_URL_REFUSED', `url ${reason}`, { param: 'url', details: { reason } })
type Refused = Refusal<'WEBHOOK_URL_REFUSED'>

/**
 * Whether a text may be the target of a webhook, and its parts. Looks at the text alone; what a name resolves to is checked at
 * each delivery by `mayReach`. Sources: WHATWG URL, RFC 1035 (lengths).
 */
export function checkWebhookUrl(
  text: string,
  rules: TargetRules = {},
): Result<WebhookTarget, Refused> {
  if (text.length > LONGEST_URL) return no(`is longer than ${LONGEST_URL} characters`)
  // The URL standard forgives all of these, each in a way that has hidden another host from somebody.
  if (/[\s\\\p{Cc}\p{Cs}]/u.test(text))
    return no('holds a space, a backslash or a control character')
  if (!/^https?:\/\/[^/]/i.test(text)) return no('is not an absolute https URL')
  const url = URL.parse(text)
  if (!url) return no('cannot be read as a URL')
  if (/^[^/?#]*@/.test(text.replace(/^https?:\/\//i, ''))) return no('holds credentials')
  if (text.includes('#')) return no('holds a fragment, which is never sent')
  return checkParts(url, rules)
}

function checkParts(url: URL, rules: TargetRules): Result<WebhookTarget, Refused> {
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  const address = parseIp(host)
  const target = { url: url.href, secure, host, port, ...(address ? { address } : {}) }
  if (address) {
    const reason = whyNotReach(target, address, rules)
    return reason === undefined ? ok(target) : no(reason)
  }
  const reason = whyNotNamed(target, rules)
  return reason === undefined ? ok(target) : no(reason)
}

function whyNotNamed({ host, secure, port }: WebhookTarget, rules: TargetRules) {
  const labels = host.split('.')
  if (host.length > LONGEST_NAME || !labels.every((label) => LABEL.test(label)))
    return 'has a host that is no name of the Internet'
  // A name may lead into the allowed ranges; whether it does is seen when it is resolved.
  if (rules.allowPrivate === true || rangesOf(rules).length > 0) return undefined
  if (labels.length < 2 || INSIDE.test(host)) return 'has a host that only a private network knows'
  if (!secure) return 'is not https'
  return mayUsePort(port, rules) ? undefined : 'has a port that belongs to another service'
}

const rangesOf = ({ allow = [] }: TargetRules) => allow.flatMap((text) => parseIpRange(text) ?? [])
const mayUsePort = (port: number, { ports = PORTS }: TargetRules) => ports.includes(port)

/**
 * Why a connection for this target may not go to this address; undefined if it may. Asked for every address that the name
 * resolves to, at each delivery: a name that was public yesterday may lead inside today (DNS rebinding).
 */
export function whyNotReach(
  { secure, port }: Pick<WebhookTarget, 'secure' | 'port'>,
  address: IpAddress,
  rules: TargetRules = {},
): string | undefined {
  if (rules.allowPrivate === true) return undefined
  if (rangesOf(rules).some((range) => isInside(address, range))) return undefined
  if (!isPublicIp(address)) return 'leads to an address that is not public'
  if (!secure) return 'is not https'
  return mayUsePort(port, rules) ? undefined : 'has a port that belongs to another service'
}

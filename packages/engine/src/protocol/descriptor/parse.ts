import {
  NETWORKS,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  tryFromHex,
} from '../../kernel/index.ts'
import { parseAddress } from '../address/index.ts'
import { keyNetworkOf, refuseNetwork } from '../keys/index.ts'
import { MAX_MULTISIG_KEYS } from '../script/index.ts'
import { verifyChecksum } from './checksum.ts'
import type { Descriptor, DescriptorKind } from './descriptor.ts'
import { type DescriptorCode, malformed, unsupported } from './fault.ts'
import {
  branchCount,
  expressionNetwork,
  isPrivateExpression,
  isSameKey,
  type KeyExpression,
  needsPrivateKey,
  parseKeyExpression,
} from './key.ts'

export interface ParseOptions {
  /** The network on which the descriptor is to be used; without it any network is taken. */
  readonly network?: Network
  /** Refuse a descriptor without checksum. Default false: a checksum that is there is always checked. */
  readonly requireChecksum?: boolean
}
type DescriptorResult<T> = Result<T, Refusal<DescriptorCode>>

/** Longer than any wallet of 20 keys; a limit so that a hostile text costs little. */
const MAX_LENGTH = 10_000

/** Functions of the BIPs and of miniscript that exist and that we do not read. */
const OTHER_FUNCTIONS = new Set(
  `pk combo multi sortedmulti multi_a sortedmulti_a rawtr musig sp pk_k pk_h older after sha256 hash256 ripemd160
   hash160 andor and_v and_b and_n or_b or_c or_d or_i thresh just_0 just_1`.split(/\s+/),
)
const OUR_FUNCTIONS = ['pkh', 'wpkh', 'sh', 'wsh', 'tr', 'addr', 'raw']

interface Call {
  readonly name: string
  readonly inner: string
  /** Offsets in the whole text, for refusals. */
  readonly at: number
  readonly innerAt: number
}

/** `name(inner)` that fills the whole text. */
function readCall(text: string, at: number): DescriptorResult<Call> {
  const open = text.indexOf('(')
  const name = text.slice(0, Math.max(open, 0))
  if (open <= 0) return malformed(at, 'a function is expected here')
  // Miniscript wrappers stand before a colon: `v:pk(...)`.
  const bare = /^(?:[asctdvjnlu]+:)?([a-z][a-z0-9_]*)$/.exec(name)?.[1]
  if (bare === undefined) return malformed(at, 'a function name is expected here')
  if (!OUR_FUNCTIONS.includes(bare) && !OTHER_FUNCTIONS.has(bare)) {
    return malformed(at, `${bare.slice(0, 40)} is not a descriptor function`)
  }
  if (!text.endsWith(')')) return malformed(at + text.length, 'the closing bracket is missing')
  return ok({ name: bare, inner: text.slice(open + 1, -1), at, innerAt: at + open + 1 })
}

const PAIRS: Readonly<Record<string, string>> = { ')': '(', '}': '{', '>': '<', ']': '[' }

/** The offset of the first bracket without a partner; undefined when all are paired. */
function unpairedAt(text: string): number | undefined {
  const open: { readonly bracket: string; readonly at: number }[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if ('({<['.includes(character)) open.push({ bracket: character, at })
    const partner = PAIRS[character]
    if (partner !== undefined && open.pop()?.bracket !== partner) return at
  }
  return open[0]?.at
}

type Body = Pick<Descriptor, 'kind' | 'keys'> &
  Partial<Pick<Descriptor, 'threshold' | 'fixedScript' | 'address' | 'network'>>

function singleKey(call: Call, kind: DescriptorKind): DescriptorResult<Body> {
  const key = parseKeyExpression(call.inner, call.innerAt)
  if (!key.ok) return key
  const fault = keyFormFault(key.value, kind)
  return fault === undefined ? ok({ kind, keys: [key.value] }) : malformed(call.innerAt, fault)
}

/** Segwit and Taproot take no uncompressed keys, only Taproot takes x-only ones. Source: BIP 382, BIP 386. */
function keyFormFault({ key }: KeyExpression, kind: DescriptorKind): string | undefined {
  const isUncompressed =
    (key.type === 'public' && key.form === 'uncompressed') ||
    (key.type === 'wif' && !key.isCompressed)
  if (isUncompressed && kind !== 'pkh') return `an uncompressed key in ${kind}`
  const isXOnly = key.type === 'public' && key.form === 'x-only'
  return isXOnly && kind !== 'tr' ? `an x-only key in ${kind}` : undefined
}

/** Commas that are not inside brackets; reading stops at a function, which is refused by name later. */
const splitArguments = (text: string): string[] => text.split(',')

function sortedMulti(call: Call, kind: DescriptorKind): DescriptorResult<Body> {
  if (/[({]/.test(call.inner)) {
    const musig = call.inner.indexOf('musig(')
    return musig >= 0
      ? unsupported('musig', call.innerAt + musig)
      : malformed(call.innerAt, 'sortedmulti() takes a number and keys')
  }
  const [thresholdText = '', ...texts] = splitArguments(call.inner)
  if (!/^[1-9]\d{0,2}$/.test(thresholdText)) {
    return malformed(call.innerAt, 'the number of signatures is not a number from 1 on')
  }
  const threshold = Number(thresholdText)
  if (texts.length < 1 || texts.length > MAX_MULTISIG_KEYS) {
    return malformed(call.innerAt, `${texts.length} keys; 1 to ${MAX_MULTISIG_KEYS} are possible`)
  }
  if (threshold > texts.length) {
    return malformed(call.innerAt, `${threshold} signatures of ${texts.length} keys`)
  }
  const keys: KeyExpression[] = []
  let position = call.innerAt + thresholdText.length + 1
  for (const text of texts) {
    const key = parseKeyExpression(text, position)
    if (!key.ok) return key
    const fault = keyFormFault(key.value, kind)
    if (fault !== undefined) return malformed(position, fault)
    if (keys.some((other) => isSameKey(other, key.value))) return refuseTwice(keys.length + 1)
    keys.push(key.value)
    position += text.length + 1
  }
  return ok({ kind, keys, threshold })
}

const refuseTwice = (place: number) =>
  refuse(
    'DESCRIPTOR_KEY_TWICE',
    `key ${place} of the multisig stands there already: one holder would count as two`,
    { param: 'descriptor', details: { place } },
  )

function parseAddr(call: Call, network: Network | undefined): DescriptorResult<Body> {
  const tried = network === undefined ? NETWORKS : [network]
  for (const candidate of tried) {
    const parsed = parseAddress(call.inner, candidate)
    if (parsed.ok) {
      return ok({
        kind: 'addr',
        keys: [],
        fixedScript: parsed.value.script,
        address: parsed.value.text,
        network: keyNetworkOf(candidate),
      })
    }
    if (network !== undefined && parsed.error.code === 'ADDRESS_NETWORK') {
      return refuse('ADDRESS_NETWORK', parsed.error.message, {
        param: 'descriptor',
        details: parsed.error.details,
      })
    }
  }
  return malformed(call.innerAt, 'addr() does not hold an address')
}

function parseRaw(call: Call): DescriptorResult<Body> {
  const fixedScript = tryFromHex(call.inner)
  if (!fixedScript || fixedScript.length === 0)
    return malformed(call.innerAt, 'raw() does not hold hex')
  return ok({ kind: 'raw', keys: [], fixedScript })
}

/** What stands inside `sh` and `wsh`. */
function parseNested(outer: Call, context: 'sh' | 'wsh' | 'sh(wsh'): DescriptorResult<Body> {
  const call = readCall(outer.inner, outer.innerAt)
  if (!call.ok) return call
  const { name, at } = call.value
  if (['addr', 'raw', 'tr', 'sh'].includes(name))
    return malformed(at, `${name}() is possible only at the top`)
  if (name === 'combo' || name === 'rawtr' || name === 'musig') {
    return unsupported(name, at)
  }
  if (context === 'sh' && name === 'wpkh') return singleKey(call.value, 'sh(wpkh)')
  if (context === 'sh' && name === 'wsh') return parseNested(call.value, 'sh(wsh')
  if (name === 'wpkh' || name === 'wsh')
    return malformed(at, `${name}() is not possible inside wsh()`)
  if (name !== 'sortedmulti' || context === 'sh')
    return unsupported(name, at, ` inside ${outer.name}()`)
  return sortedMulti(call.value, context === 'wsh' ? 'wsh(sortedmulti)' : 'sh(wsh(sortedmulti))')
}

function parseBody(text: string, network: Network | undefined): DescriptorResult<Body> {
  const unpaired = unpairedAt(text)
  if (unpaired !== undefined) return malformed(unpaired, 'a bracket without its partner')
  const call = readCall(text, 0)
  if (!call.ok) return call
  const { name, inner, innerAt } = call.value
  switch (name) {
    case 'pkh':
    case 'wpkh':
      return singleKey(call.value, name)
    case 'tr': {
      if (inner.startsWith('musig(')) return unsupported('musig', innerAt)
      const isTree = inner.includes(',')
      return isTree ? unsupported('tr', 0, ' with a script tree') : singleKey(call.value, 'tr')
    }
    case 'sh':
    case 'wsh':
      return parseNested(call.value, name)
    case 'addr':
      return parseAddr(call.value, network)
    case 'raw':
      return parseRaw(call.value)
    default:
      return unsupported(name, 0, OTHER_FUNCTIONS.has(name) ? ' at the top' : '')
  }
}

/** Branch counts agree, networks agree, nothing public is asked to make hardened steps, prefixes are plain. */
function checkKeys(
  keys: readonly KeyExpression[],
  network: Network | undefined,
): DescriptorResult<Pick<Descriptor, 'network' | 'branches' | 'isRanged' | 'hasPrivateKeys'>> {
  const branches = Math.max(1, ...keys.map(branchCount))
  const found = keys.map(expressionNetwork).find((known) => known !== undefined)
  for (const [i, key] of keys.entries()) {
    const count = branchCount(key)
    if (count !== 1 && count !== branches)
      return malformed(0, 'multipath steps of different lengths')
    const own = expressionNetwork(key)
    if (own && own !== found) return malformed(0, 'keys of different networks')
    if (key.key.type === 'extended') {
      const { scriptType, multisig, prefix } = key.key.extended.version
      if (scriptType ?? multisig) {
        return refuse(
          'KEY_VERSION',
          `key ${i + 1} has the prefix ${prefix}; a descriptor takes xpub or tpub, because it says itself which scripts it makes`,
          { param: 'descriptor', details: { prefix } },
        )
      }
    }
    if (!isPrivateExpression(key) && needsPrivateKey(key)) {
      return refuse(
        'KEY_HARDENED',
        `key ${i + 1} is public and has a hardened step after it: it cannot be derived`,
        {
          param: 'descriptor',
        },
      )
    }
  }
  if (network !== undefined && found !== undefined && keyNetworkOf(network) !== found) {
    return refuseNetwork(found, network)
  }
  return ok({
    ...(found === undefined ? {} : { network: found }),
    branches,
    isRanged: keys.some((key) => key.wildcard !== 'none'),
    hasPrivateKeys: keys.some(isPrivateExpression),
  })
}

/**
 * Reads an output descriptor. Kinds that we derive: see `DescriptorKind`. Functions that exist and are not among
 * them are refused by name (DESCRIPTOR_UNSUPPORTED), everything else with position and reason
 * (DESCRIPTOR_INVALID). Source: BIP 380 to 389.
 */
export function parseDescriptor(
  text: string,
  options: ParseOptions = {},
): DescriptorResult<Descriptor> {
  const { network, requireChecksum = false } = options
  if (text.length > MAX_LENGTH) return malformed(MAX_LENGTH, `longer than ${MAX_LENGTH} characters`)
  const checked = verifyChecksum(text, requireChecksum)
  if (!checked.ok) return checked
  const body = parseBody(checked.value, network)
  if (!body.ok) return body
  const facts = checkKeys(body.value.keys, network)
  return facts.ok ? ok({ ...body.value, ...facts.value }) : facts
}

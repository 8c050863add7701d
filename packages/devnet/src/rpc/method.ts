import { tryFromHex } from '../chain/bytes.ts'
import type { BlockNode } from '../chain/node.ts'
import type { NodeClock } from '../powers/clock.ts'
import type { Posture } from '../powers/posture.ts'
import type { Powers } from '../powers/powers.ts'
import type { Regtest } from '../powers/regtest.ts'
import type { Waits } from '../powers/waits.ts'
import type { Wallets } from '../wallet/wallets.ts'
import type { ZmqNotifier } from '../zmq/publisher.ts'
import { type RpcError, rpcError } from './errors.ts'
import { helpOf } from './help.ts'
import type { Json } from './json.ts'
import type { Parameter, ParameterType } from './parameter.ts'
import { SUMMARIES } from './summaries.ts'

/** What the methods need of the node beside the chain. */
export interface RpcContext {
  readonly regtest: Regtest
  readonly wallets: Wallets
  /** The node's clock, which `setmocktime` stops. */
  readonly clock: NodeClock
  /** Where calls wait for the chain to move. */
  readonly waits: Waits
  /** What is published over ZeroMQ. */
  readonly zmq: () => readonly ZmqNotifier[]
  /** Milliseconds since this life of the node began. */
  readonly uptimeMs: () => number
  /** `stop` was called. */
  readonly stop: () => void
  /** From the path `/wallet/<name>`. */
  readonly walletPath?: string
  /** What the node can do beside being a node. */
  readonly powers: NodePowers
  /** Overrides that a test set, such as `initialblockdownload`. */
  readonly posture: Posture
}
export type { Parameter, ParameterType, Posture }
/** The powers, with those over the node's process. */
export type NodePowers = Powers & {
  restart(options: { readonly mempool?: 'kept' | 'lost' | 'loading' }): Promise<void>
  finishLoading(): void
  down(): Promise<void>
  up(): Promise<void>
}

export interface Method {
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly run: (context: RpcContext, args: readonly unknown[]) => Json | Promise<Json>
}

/** `'height:number'`, or `'verbose:bool?'` for one that may be left out. */
export function method(name: string, parameters: readonly string[], run: Method['run']): Method {
  return {
    name,
    parameters: parameters.map((text) => {
      const [own = '', rest = 'any'] = text.split(':')
      const optional = rest.endsWith('?')
      return { name: own, type: rest.replace('?', '') as ParameterType, optional }
    }),
    run,
  }
}

const typeName = (value: unknown): string => {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
/** Named or positional arguments in the order of the parameters. @throws RpcError as Core words it. */
export function bindArguments(target: Method, params: unknown): unknown[] {
  const { parameters } = target
  let args: unknown[]
  if (Array.isArray(params)) args = params
  else {
    const named = (params ?? {}) as Record<string, unknown>
    const positional = named['args']
    args = Array.isArray(positional) ? [...positional] : []
    for (const [name, value] of Object.entries(named)) {
      if (name === 'args' && Array.isArray(value)) continue
      const at = parameters.findIndex((parameter) => parameter.name.split('|').includes(name))
      if (at < 0) throw rpcError('invalidParameter', `Unknown named parameter ${name}`)
      if (args[at] !== undefined) {
        const both = 'specified twice both as positional and named argument'
        throw rpcError('invalidParameter', `Parameter ${name} ${both}`)
      }
      args[at] = value
    }
  }
  const required = parameters.findLastIndex(({ optional }) => !optional) + 1
  if (args.length < required || args.length > parameters.length) throw usage(target)
  checkTypes(target, args)
  return parameters.map((_, at) => args[at] ?? undefined)
}
function checkTypes(target: Method, args: readonly unknown[]): void {
  const wrong: string[] = []
  target.parameters.forEach(({ name, type, optional }, at) => {
    const actual = typeName(args[at])
    if (type === 'any' || type === actual || (optional && actual === 'null')) return
    const fault = `JSON value of type ${actual} is not of expected type ${type}`
    wrong.push(`    "Position ${at + 1} (${name})": "${fault}"`)
  })
  if (wrong.length > 0) {
    throw rpcError('typeError', `Wrong type passed:\n{\n${wrong.join(',\n')}\n}`)
  }
}
/** Core answers a wrong count of arguments with the help text. */
export const usage = (target: Method): RpcError =>
  rpcError('misc', helpOf(target, SUMMARIES[target.name]))

/** A hash argument. @throws RpcError -8 in Core's words. */
export function hashArgument(value: unknown, name: string): string {
  const text = String(value)
  if (text.length !== 64) {
    const detail = `must be of length 64 (not ${text.length}, for '${text}')`
    throw rpcError('invalidParameter', `${name} ${detail}`)
  }
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    throw rpcError('invalidParameter', `${name} must be hexadecimal string (not '${text}')`)
  }
  return text.toLowerCase()
}
/** An integer argument. @throws RpcError -1 as Core's JSON library does. */
export function integerArgument(value: unknown, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback
  if (typeof value === 'number' && Number.isInteger(value)) return value
  throw rpcError('misc', 'JSON integer out of range')
}
/** A whole number of 32 bits, as most of Core's arguments are. @throws RpcError -1 as Core does. */
export function int32Argument(value: unknown, fallback?: number): number {
  const whole = integerArgument(value, fallback)
  if (whole === (whole | 0)) return whole
  throw rpcError('misc', 'JSON integer out of range')
}
/** A text inside an array or object, whose kind nobody checked yet. @throws RpcError -3 in Core's words. */
export function textArgument(value: unknown): string {
  if (typeof value === 'string') return value
  const fault = `JSON value of type ${typeName(value)} is not of expected type string`
  throw rpcError('typeError', fault)
}
/** Bytes in hex. @throws RpcError -8 in Core's words. */
export function hexArgument(value: unknown, name: string): Uint8Array {
  const text = textArgument(value)
  const bytes = text === '' ? undefined : tryFromHex(text)
  if (bytes) return bytes
  throw rpcError('invalidParameter', `${name} must be hexadecimal string (not '${text}')`)
}
/** Core's verbosity: a number, or a flag that stands for 0 and 1. */
export function verbosityArgument(value: unknown, fallback: number): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === undefined) return fallback
  if (typeof value === 'number') return int32Argument(value)
  const fault = `JSON value of type ${typeName(value)} is not of expected type number`
  throw rpcError('typeError', fault)
}
/** Bitcoins as a JSON number or string, in satoshi. @throws RpcError -3. */
export function amountArgument(value: unknown): bigint {
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw rpcError('typeError', 'Amount is not a number or string')
  }
  const size = fixedPoint(String(value), 8)
  if (size === undefined) throw rpcError('typeError', 'Invalid amount')
  if (size < 0n || size > 2_100_000_000_000_000n) {
    throw rpcError('typeError', 'Amount out of range')
  }
  return size
}
/** A decimal in its smallest unit, also with an exponent; undefined where it is none or has more decimals. */
export function fixedPoint(text: string, decimals: number): bigint | undefined {
  const match = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/0+$/, '')
  const zeros = whole.length + fraction.length - digits.length
  const shift = Number(exponent) - fraction.length + zeros + decimals
  if (BigInt(digits || '0') === 0n) return 0n
  if (shift < 0 || shift + digits.replace(/^0+/, '').length > 18) return undefined
  const size = BigInt(digits) * 10n ** BigInt(shift)
  return sign === '-' ? -size : size
}
/** Confirmations as Core counts them: -1 off the best chain. */
export function confirmationsOf({ regtest }: RpcContext, node: BlockNode): number {
  const { chain } = regtest
  return chain.isActive(node) ? chain.tip.height - node.height + 1 : -1
}

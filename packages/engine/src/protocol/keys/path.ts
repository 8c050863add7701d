import {
  AssertionError,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
} from '../../kernel/index.ts'
import { keyNetworkOf, PURPOSES, type ScriptType } from './version.ts'

/** First hardened child number. Source: BIP 32. */
export const HARDENED = 0x8000_0000
/** Child numbers with the hardened bit set where it belongs. */
export type KeyPath = readonly number[]
type PathRefusal = Refusal<'KEY_PATH'>

/** BIP 32 has one byte for the depth. */
export const MAX_DEPTH = 255

export const isHardened = (index: number): boolean => index >= HARDENED
/** @throws AssertionError unless 0 to 2^31 - 1. */
export function hardened(index: number): number {
  if (!isPlainIndex(index)) throw new AssertionError(`not a child index: ${index}`)
  return index + HARDENED
}
export const isPlainIndex = (index: number): boolean =>
  Number.isInteger(index) && index >= 0 && index < HARDENED

/** One step: decimal digits, hardened by `h` or `'`. Refuses numbers of 2^31 and more, leading signs, `H`. */
export function parsePathStep(text: string): Result<number, PathRefusal> {
  const match = /^(\d{1,10})(['h]?)$/.exec(text)
  const index = Number(match?.[1])
  if (!match) {
    return refuse(
      'KEY_PATH',
      `the path step "${text.slice(0, 20)}" is not a number with an optional h`,
    )
  }
  if (!isPlainIndex(index))
    return refuse('KEY_PATH', `the path step ${match[1]} is above 2147483647`)
  return ok(match[2] === '' ? index : index + HARDENED)
}

/** `m/84h/0h/0h`, `84'/0'/0'` or `m`. Refuses anything else, also values that are not text. Source: BIP 32. */
export function parseKeyPath(text: unknown): Result<KeyPath, PathRefusal> {
  if (typeof text !== 'string') return refuse('KEY_PATH', 'the path is not text', { param: 'path' })
  if (text === 'm') return ok([])
  const parts = (text.startsWith('m/') ? text.slice(2) : text).split('/')
  if (parts.length > MAX_DEPTH)
    return refuse('KEY_PATH', `the path has more than ${MAX_DEPTH} steps`)
  const path: number[] = []
  for (const part of parts) {
    const step = parsePathStep(part)
    if (!step.ok) return step
    path.push(step.value)
  }
  return ok(path)
}

export const printPathStep = (index: number): string =>
  isHardened(index) ? `${index - HARDENED}h` : `${index}`
/** `84h/0h/0h`, without the leading `m`. Empty for the master key. */
export const printKeyPath = (path: KeyPath): string => path.map(printPathStep).join('/')

/** `purpose' / coin' / account'` of a single-key wallet. Source: BIP 44, 49, 84, 86. */
export const accountPath = (type: ScriptType, network: Network, account = 0): KeyPath => [
  hardened(PURPOSES[type]),
  hardened(keyNetworkOf(network) === 'main' ? 0 : 1),
  hardened(account),
]

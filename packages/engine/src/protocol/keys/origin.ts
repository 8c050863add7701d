import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { type KeyPath, parseKeyPath, printKeyPath } from './path.ts'

/** Where a key comes from: the fingerprint of its master key and the path from there. Source: BIP 380. */
export interface KeyOrigin {
  /** Eight lower-case hex digits. */
  readonly fingerprint: string
  readonly path: KeyPath
}

/** Reads `[d34db33f/84h/0h/0h]`, with or without the brackets. */
export function parseKeyOrigin(text: string): Result<KeyOrigin, Refusal<'KEY_ORIGIN'>> {
  const no = (reason: string) =>
    refuse('KEY_ORIGIN', `the key origin ${reason}`, { param: 'origin' })
  const inner = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  if (/[[\]]/.test(inner)) return no('has more than one pair of brackets')
  const slash = inner.indexOf('/')
  const fingerprint = slash < 0 ? inner : inner.slice(0, slash)
  if (!/^[0-9a-fA-F]{8}$/.test(fingerprint)) return no('does not begin with eight hex digits')
  if (slash < 0) return ok({ fingerprint: fingerprint.toLowerCase(), path: [] })
  const path = inner.startsWith('m', slash + 1) ? undefined : parseKeyPath(inner.slice(slash + 1))
  if (!path?.ok) return no(path ? `is wrong: ${path.error.message}` : 'repeats the m')
  return ok({ fingerprint: fingerprint.toLowerCase(), path: path.value })
}

/** `[d34db33f/84h/0h/0h]`. */
export function printKeyOrigin({ fingerprint, path }: KeyOrigin): string {
  return path.length === 0 ? `[${fingerprint}]` : `[${fingerprint}/${printKeyPath(path)}]`
}

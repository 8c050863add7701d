import { DescriptorError } from './error.ts'

/** Where a key comes from: the first four bytes of the root key's hash in hex, and the steps from there. */
export interface KeyOrigin {
  readonly fingerprint: string
  readonly path: readonly number[]
}
/** Steps from here on need the private key. Source: BIP 32. */
export const HARDENED = 0x80000000

/** One step of a path, `5`, `5h` or `5'`. @throws DescriptorError in Core's words. */
export function parseStep(text: string): number {
  const match = /^(\d+)(['h]?)$/.exec(text)
  const value = Number(match?.[1])
  if (!match || value > 0xffffffff) {
    throw new DescriptorError(`Key path value '${text.replace(/['h]$/, '')}' is not a valid uint32`)
  }
  if (value >= HARDENED) throw new DescriptorError(`Key path value ${value} is out of range`)
  return match[2] ? value + HARDENED : value
}
/** `/84h/1h/0`; `mark` stands for hardened steps. */
export const formatPath = (path: readonly number[], mark = 'h'): string =>
  path.map((step) => (step >= HARDENED ? `/${step - HARDENED}${mark}` : `/${step}`)).join('')

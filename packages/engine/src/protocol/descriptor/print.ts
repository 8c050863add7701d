import { AssertionError, assert, toHex } from '../../kernel/index.ts'
import {
  derivePrivate,
  type ExtendedPrivateKey,
  fingerprintOf,
  isHardened,
  isPrivateKey,
  type KeyOrigin,
  printExtendedPublicKey,
  printKeyOrigin,
  printPathStep,
} from '../keys/index.ts'
import { descriptorChecksum } from './checksum.ts'
import type { Descriptor } from './descriptor.ts'
import { branchPath, type KeyExpression, type KeyStep } from './key.ts'

const printStep = (step: KeyStep): string =>
  typeof step === 'number' ? printPathStep(step) : `<${step.map(printPathStep).join(';')}>`

const isHardenedStep = (step: KeyStep): boolean => typeof step === 'number' && isHardened(step)

/**
 * Moves the hardened steps of a private key into its origin, as Bitcoin Core does when it normalises: what is
 * left can be derived from the public key.
 */
function publicForm(expression: KeyExpression, key: ExtendedPrivateKey): KeyExpression {
  const { path, origin } = expression
  const last = path.findLastIndex(isHardenedStep)
  const head = path.slice(0, last + 1)
  // A hardened multipath step or wildcard cannot be moved; the text then shows what cannot be derived publicly.
  const fixed = head.filter((step) => typeof step === 'number')
  if (head.length === 0 || fixed.length < head.length || expression.wildcard === 'hardened')
    return expression
  const derived = derivePrivate(key, fixed)
  if (!derived.ok) throw new AssertionError(derived.error.message)
  const start: KeyOrigin = origin ?? { fingerprint: fingerprintOf(key.publicKey), path: [] }
  return {
    origin: { ...start, path: [...start.path, ...fixed] },
    key: { type: 'extended', extended: derived.value },
    path: path.slice(last + 1),
    wildcard: expression.wildcard,
  }
}

function printKey(expression: KeyExpression, isXOnly: boolean): string {
  const { key } = expression
  const origin = expression.origin ? printKeyOrigin(expression.origin) : ''
  if (key.type !== 'extended') {
    const bytes = isXOnly && key.publicKey.length === 33 ? key.publicKey.subarray(1) : key.publicKey
    return origin + toHex(bytes)
  }
  if (isPrivateKey(key.extended)) {
    const form = publicForm(expression, key.extended)
    if (form !== expression) return printKey(form, isXOnly)
  }
  const wildcard = { none: [], plain: ['*'], hardened: ['*h'] }[expression.wildcard]
  const steps = [...expression.path.map(printStep), ...wildcard]
  return [origin + printExtendedPublicKey(key.extended), ...steps].join('/')
}

function printBody({ kind, keys, threshold, fixedScript, address }: Descriptor): string {
  if (kind === 'addr') return `addr(${address})`
  if (kind === 'raw') return `raw(${toHex(fixedScript ?? new Uint8Array())})`
  const printed = keys.map((key) => printKey(key, kind === 'tr'))
  const inner = threshold === undefined ? printed.join(',') : [threshold, ...printed].join(',')
  const open = kind.replaceAll(')', '')
  return `${open}(${inner}${')'.repeat(open.split('(').length)}`
}

/** Appends the checksum to a descriptor body. @throws AssertionError for characters outside BIP 380. */
export function withChecksum(body: string): string {
  const checksum = descriptorChecksum(body)
  assert(checksum !== undefined, 'a descriptor with a foreign character')
  return `${body}#${checksum}`
}

/**
 * The canonical text with checksum: hardened steps marked `h`, hex in lower case. Private keys are printed as
 * their public keys, never as themselves. Source: BIP 380.
 */
export const printDescriptor = (descriptor: Descriptor): string =>
  withChecksum(printBody(descriptor))

/** One branch of a multipath descriptor as a descriptor of its own. @throws AssertionError for a branch that is not there. */
export function branchDescriptor(descriptor: Descriptor, branch: number): Descriptor {
  assert(
    Number.isInteger(branch) && branch >= 0 && branch < descriptor.branches,
    `no branch ${branch}`,
  )
  const keys = descriptor.keys.map((key) => ({ ...key, path: branchPath(key, branch) }))
  return { ...descriptor, keys, branches: 1 }
}

import { equalBytes } from '../../kernel/index.ts'
import {
  branchPath,
  type Descriptor,
  deriveKeys,
  type KeyExpression,
  scriptAt,
} from '../descriptor/index.ts'
import { fingerprintOf, isPlainIndex, type KeyOrigin, type KeyPath } from '../keys/index.ts'
import type { PsbtOrigin } from './model.ts'

/** Where a script stands in our wallet. */
export interface Place {
  readonly descriptor: Descriptor
  readonly branch: number
  readonly index: number
}

/** Master fingerprint and path of the key at the root of an expression. */
export function rootOrigin({ origin, key }: KeyExpression): KeyOrigin {
  if (origin) return origin
  const publicKey = key.type === 'extended' ? key.extended.publicKey : key.publicKey
  return { fingerprint: fingerprintOf(publicKey), path: [] }
}

/** Master fingerprint and whole path of the key of one script. */
export function originAt(expression: KeyExpression, branch: number, index: number): KeyOrigin {
  const { fingerprint, path } = rootOrigin(expression)
  const steps = [...path, ...branchPath(expression, branch)]
  return { fingerprint, path: expression.wildcard === 'none' ? steps : [...steps, index] }
}

const startsWith = (path: KeyPath, start: KeyPath): boolean =>
  path.length >= start.length && start.every((step, i) => step === path[i])

/** What the origins of an input or output claim about our wallet. */
export type Claim =
  /** None of them names a key of ours. */
  | { readonly kind: 'none' }
  /** One of them names a key of ours on a path that no script of ours has. */
  | { readonly kind: 'off_path'; readonly path: KeyPath }
  | ({ readonly kind: 'place' } & Place)

function placeOf(
  descriptor: Descriptor,
  expression: KeyExpression,
  path: KeyPath,
): Place | undefined {
  for (let branch = 0; branch < descriptor.branches; branch++) {
    const steps = [...rootOrigin(expression).path, ...branchPath(expression, branch)]
    const rest = startsWith(path, steps) ? path.slice(steps.length) : undefined
    if (!rest) continue
    if (expression.wildcard === 'none' && rest.length === 0) return { descriptor, branch, index: 0 }
    const [index] = rest
    const isIndex = rest.length === 1 && index !== undefined && isPlainIndex(index)
    if (expression.wildcard === 'plain' && isIndex) return { descriptor, branch, index }
  }
  return undefined
}

/** The place that origins claim. Only a claim: whether the script is ours says `isAt`. */
export function claimOf(wallet: readonly Descriptor[], origins: readonly PsbtOrigin[]): Claim {
  let claim: Claim = { kind: 'none' }
  for (const { fingerprint, path } of origins) {
    for (const descriptor of wallet) {
      for (const expression of descriptor.keys) {
        const root = rootOrigin(expression)
        if (root.fingerprint !== fingerprint || !startsWith(path, root.path)) continue
        const place = placeOf(descriptor, expression, path)
        if (place) return { kind: 'place', ...place }
        claim = { kind: 'off_path', path }
      }
    }
  }
  return claim
}

/** True when our descriptor makes exactly this script at the place. */
export const isAt = (script: Uint8Array, { descriptor, branch, index }: Place): boolean =>
  equalBytes(scriptAt(descriptor, branch, index), script)

/** The keys of one script of ours with their origins, in the order of the descriptor. */
export function originsAt({ descriptor, branch, index }: Place): readonly PsbtOrigin[] {
  const keys = deriveKeys(descriptor, branch, index)
  return descriptor.keys.map((expression, i) => ({
    publicKey: keys[i] ?? new Uint8Array(),
    ...originAt(expression, branch, index),
  }))
}

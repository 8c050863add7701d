import { AssertionError, assert } from '../../kernel/index.ts'
import { defaultPolicy } from './default.ts'
import type { Policy } from './document.ts'
import { parsePolicy } from './parse.ts'
import type { PolicyTx } from './ports.ts'

/** Documents that were read, by their digest: they never change, and few are in use at a time. */
const read = new Map<string, Policy>()

/** A stored document as a policy. @throws AssertionError when it can no longer be read: it was read before it was stored */
export function readStored(stored: { readonly digest: string; readonly document: string }): Policy {
  const known = read.get(stored.digest)
  if (known) return known
  const policy = parsePolicy(JSON.parse(stored.document))
  if (!policy.ok) throw new AssertionError(`a stored policy: ${policy.error.message}`)
  if (read.size >= 16) read.clear()
  read.set(stored.digest, policy.value)
  return policy.value
}

/** The policy of a version that exists. @param digest of its document, where it is known: saves reading it again */
export async function policyAt(
  tx: Pick<PolicyTx, 'policy'>,
  version: number,
  digest?: string,
): Promise<Policy> {
  if (version === 0) return defaultPolicy()
  const known = digest === undefined ? undefined : read.get(digest)
  if (known) return known
  const stored = await tx.policy.policy(version)
  assert(stored, `no policy ${version}`)
  return readStored(stored)
}

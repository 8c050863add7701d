import { AssertionError, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import type { LookExpectation } from './expectation.ts'
import type { LookFault } from './fault.ts'
import type { LookToken } from './token.ts'

/**
 * Looks at the final bytes of a transaction, as they would be broadcast, and derives everything anew. All faults are reported.
 * @throws AssertionError for an expectation that contradicts itself.
 */
export function lastLook(
  bytes: Uint8Array,
  expectation: LookExpectation,
): Result<LookToken, readonly LookFault[]> {
  throw new AssertionError(`unfinished: ${bytes.length} ${expectation.coins.length}`)
}

/** True for tokens that `lastLook` made in this process. For callers without types, and for those who do not trust casts. */
export const isLookToken = (value: unknown): value is LookToken => value === lastLook

/** The faults as one refusal, for callers that pass refusals on. */
export const refuseByLook = (
  faults: readonly LookFault[],
): { readonly ok: false; readonly error: Refusal<'LAST_LOOK_REFUSED'> } =>
  refuse('LAST_LOOK_REFUSED', faults.map(({ message }) => message).join('; '), {
    details: { reasons: faults.map(({ reason }) => reason).join(' ') },
  })

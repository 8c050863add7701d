import type { CodeEntry } from './remedy.ts'

/** Codes of policies and approvals. */
export const POLICY_CODES = {
  POLICY_NOT_FOUND: { remedy: 'caller', title: 'No policy has this version' },
  POLICY_INVALID: { remedy: 'caller', title: 'The policy document cannot be read' },
  POLICY_NOT_TESTED: { remedy: 'caller', title: 'A policy is tested before it is enabled' },
  POLICY_TESTS_FAILED: { remedy: 'caller', title: 'The policy fails its own test cases' },
  POLICY_UNSOUND: { remedy: 'caller', title: 'The policy has rules that can never decide' },
  POLICY_ENABLER_IS_AUTHOR: { remedy: 'caller', title: 'A second person has to enable the policy' },
  APPROVAL_NOT_NEEDED: { remedy: 'caller', title: 'Nobody has to approve this' },
  APPROVAL_DIGEST_MISMATCH: { remedy: 'caller', title: 'It is not what was to be approved' },
  APPROVER_IS_INITIATOR: { remedy: 'caller', title: 'Who asked for it cannot approve it' },
  APPROVER_REPEATED: { remedy: 'caller', title: 'This person has approved it already' },
  APPROVER_NOT_ALLOWED: { remedy: 'caller', title: 'This person is not among the approvers' },
} as const satisfies Record<string, CodeEntry>

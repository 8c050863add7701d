import { EngineError, type ErrorCode } from '@kaccy/bitcoin/kernel'
import { ADVICE, failureOf } from '../failure.ts'

/** What one check found, and what a person can do about it. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly says: string
  /** What to do; empty when nothing is to be done. */
  readonly todo: string
  readonly code?: string
}

export const fine = (check: string, says: string): Finding => ({
  check,
  state: 'ok',
  says,
  todo: '',
})
export const warning = (check: string, says: string, todo: string): Finding => ({
  check,
  state: 'warning',
  says,
  todo,
})

/** What to do where a code says more than its remedy. */
const TODO: Partial<Record<ErrorCode, string>> = {
  NODE_UNAUTHORIZED:
    "compare user and password with the node's rpcuser/rpcauth, or point --cookie at the file of the node that runs now",
  NODE_UNREACHABLE:
    'start the node, and compare address, port and cookie file with its configuration',
  NODE_CERTIFICATE_REFUSED: "give the node's own certificate by --ca, or its fingerprint by --pin",
  CHAIN_WRONG_NETWORK: 'point --node at a node of this network, or correct the network',
  API_UNREACHABLE: 'start kaccy serve there, and compare address and port with its http.listen',
  API_CERTIFICATE_REFUSED: 'give the authority of its certificate by --api-ca',
  API_ANSWER_UNREADABLE: 'point --api at the server itself, without a path',
  TOKEN_MISSING: 'give a key: KACCY_API_KEY or --api-key-file; kaccy key create makes one',
  KEY_UNKNOWN: 'give a key of this server: kaccy key list shows the last letters of each',
  KEY_EXPIRED: 'make a new key: kaccy key create',
  KEY_REVOKED: 'make a new key: kaccy key create',
  SIGNER_UNREACHABLE:
    'start kaccy-signer serve, and compare signer.url and signer.token with what it said at init',
  STORE_SCHEMA_OLDER: 'make a backup, then run kaccy migrate',
}

/** A check that failed, with its code and what to do about it. */
export function failed(check: string, error: unknown, todo?: string): Finding {
  const { code, message, remedy } = failureOf(error)
  const advice = todo ?? TODO[code as ErrorCode] ?? ADVICE[remedy]
  return { check, state: 'failed', says: message, todo: `${code}: ${advice}`, code }
}

/** A check that failed for a reason that has no code of its own. */
export const wrong = (check: string, says: string, todo: string): Finding => ({
  ...failed(check, new EngineError('SERVER_CHECK_FAILED', says)),
  todo,
})

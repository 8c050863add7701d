import { type Verdict, verdictOfReject } from './rejects.ts'

type Row = readonly [code: number, verdict: Verdict]

/**
 * Core's error numbers by name (`src/rpc/protocol.h`) and what each means for a call that tried to change something.
 * -25 and -26 stand here with the verdict of an unknown text: their text decides.
 */
export const ERROR_CODES = {
  // Our request was wrong, which says nothing about a transaction in it: a person has to look at the program.
  RPC_INVALID_REQUEST: [-32600, 'ask_human'],
  RPC_METHOD_NOT_FOUND: [-32601, 'ask_human'],
  RPC_INVALID_PARAMS: [-32602, 'ask_human'],
  RPC_INTERNAL_ERROR: [-32603, 'ask_human'],
  RPC_PARSE_ERROR: [-32700, 'ask_human'],
  RPC_MISC_ERROR: [-1, 'ask_human'],
  RPC_TYPE_ERROR: [-3, 'ask_human'],
  RPC_INVALID_ADDRESS_OR_KEY: [-5, 'ask_human'],
  RPC_INVALID_PARAMETER: [-8, 'ask_human'],
  RPC_METHOD_DEPRECATED: [-32, 'ask_human'],
  RPC_FORBIDDEN_BY_SAFE_MODE: [-2, 'ask_human'],
  // The node has a trouble of its own that passes.
  RPC_OUT_OF_MEMORY: [-7, 'retry_same'],
  RPC_IN_WARMUP: [-28, 'retry_same'],
  RPC_CLIENT_NOT_CONNECTED: [-9, 'retry_same'],
  RPC_CLIENT_IN_INITIAL_DOWNLOAD: [-10, 'retry_same'],
  RPC_CLIENT_NODE_CAPACITY_REACHED: [-34, 'retry_same'],
  // A damaged database does not heal by asking again.
  RPC_DATABASE_ERROR: [-20, 'ask_human'],
  // Bytes that are no transaction today are none tomorrow.
  RPC_DESERIALIZATION_ERROR: [-22, 'never'],
  RPC_VERIFY_ERROR: [-25, 'ask_human'],
  RPC_VERIFY_REJECTED: [-26, 'ask_human'],
  RPC_TRANSACTION_ERROR: [-25, 'ask_human'],
  RPC_TRANSACTION_REJECTED: [-26, 'ask_human'],
  RPC_VERIFY_ALREADY_IN_UTXO_SET: [-27, 'done'],
  // Peers: the wish is fulfilled, or the operator has switched something off.
  RPC_CLIENT_NODE_ALREADY_ADDED: [-23, 'done'],
  RPC_CLIENT_NODE_NOT_ADDED: [-24, 'ask_human'],
  RPC_CLIENT_NODE_NOT_CONNECTED: [-29, 'ask_human'],
  RPC_CLIENT_INVALID_IP_OR_SUBNET: [-30, 'ask_human'],
  RPC_CLIENT_P2P_DISABLED: [-31, 'ask_human'],
  RPC_CLIENT_MEMPOOL_DISABLED: [-33, 'ask_human'],
  // The node's wallet: we do not spend from it, so every trouble there is for its owner.
  RPC_WALLET_ERROR: [-4, 'ask_human'],
  RPC_WALLET_INSUFFICIENT_FUNDS: [-6, 'ask_human'],
  RPC_WALLET_INVALID_LABEL_NAME: [-11, 'ask_human'],
  RPC_WALLET_INVALID_ACCOUNT_NAME: [-11, 'ask_human'],
  RPC_WALLET_KEYPOOL_RAN_OUT: [-12, 'ask_human'],
  RPC_WALLET_UNLOCK_NEEDED: [-13, 'ask_human'],
  RPC_WALLET_PASSPHRASE_INCORRECT: [-14, 'ask_human'],
  RPC_WALLET_WRONG_ENC_STATE: [-15, 'ask_human'],
  RPC_WALLET_ENCRYPTION_FAILED: [-16, 'ask_human'],
  RPC_WALLET_ALREADY_UNLOCKED: [-17, 'done'],
  RPC_WALLET_NOT_FOUND: [-18, 'ask_human'],
  RPC_WALLET_NOT_SPECIFIED: [-19, 'ask_human'],
  RPC_WALLET_ALREADY_LOADED: [-35, 'done'],
  RPC_WALLET_ALREADY_EXISTS: [-36, 'ask_human'],
} as const satisfies Record<string, Row>

const BY_CODE: ReadonlyMap<number, Verdict> = new Map(Object.values(ERROR_CODES))
const BY_TEXT: readonly number[] = [-25, -26]

/** What to do after the node answered a send with this error. An unknown number is for a person. */
export function verdictOfCode(code: number, message: string): Verdict {
  if (BY_TEXT.includes(code)) return verdictOfReject(message)
  return BY_CODE.get(code) ?? 'ask_human'
}

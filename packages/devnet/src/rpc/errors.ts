/** Numbers of Core's JSON-RPC errors that this devnet uses. */
export const RPC_CODE = {
  misc: -1,
  typeError: -3,
  wallet: -4,
  invalidAddressOrKey: -5,
  insufficientFunds: -6,
  invalidParameter: -8,
  invalidLabel: -11,
  keypoolRanOut: -12,
  wrongEncryption: -15,
  walletNotFound: -18,
  walletNotSpecified: -19,
  notConnected: -9,
  nodeAlreadyAdded: -23,
  nodeNotAdded: -24,
  nodeNotConnected: -29,
  invalidSubnet: -30,
  invalidParams: -32602,
  internal: -32603,
  deserialization: -22,
  verify: -25,
  verifyRejected: -26,
  alreadyInChain: -27,
  inWarmup: -28,
  methodDeprecated: -32,
  walletAlreadyLoaded: -35,
  invalidRequest: -32600,
  methodNotFound: -32601,
  parse: -32700,
} as const

/** The `error` member of an answer: Core's code and message. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
export const rpcError = (kind: keyof typeof RPC_CODE, message: string): RpcError =>
  new RpcError(RPC_CODE[kind], message)

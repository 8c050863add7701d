/** Why a power of the devnet could not be used: a wrong argument of the test, never a verdict of the chain. */
export type DevnetErrorCode =
  | 'DEVNET_ADDRESS_INVALID'
  | 'DEVNET_BLOCK_REFUSED'
  | 'DEVNET_CLOSED'
  | 'DEVNET_COIN_UNKNOWN'
  | 'DEVNET_FUNDS_SHORT'
  | 'DEVNET_INTERNAL'
  | 'DEVNET_KEY_UNKNOWN'
  | 'DEVNET_SNAPSHOT_UNKNOWN'
  | 'DEVNET_STORAGE_DAMAGED'
  | 'DEVNET_STORAGE_FAILED'
  | 'DEVNET_STORAGE_FORMAT'
  | 'DEVNET_STORAGE_LOCKED'
  | 'DEVNET_STORAGE_MISMATCH'
  | 'DEVNET_TRANSACTION_INVALID'
  | 'DEVNET_TRANSACTION_REFUSED'
  | 'DEVNET_TRANSACTION_UNKNOWN'
  | 'DEVNET_USAGE'

/** Thrown by the typed powers. `reason` is Core's own word where the chain refused. */
export class DevnetError extends Error {
  override readonly name = 'DevnetError'
  readonly code: DevnetErrorCode
  readonly reason: string | undefined

  constructor(code: DevnetErrorCode, message: string, reason?: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.reason = reason
  }
}

/** States what must be true in our own code. @throws DevnetError DEVNET_INTERNAL. */
export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new DevnetError('DEVNET_INTERNAL', what)
  return value
}

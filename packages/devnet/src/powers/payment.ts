import { scriptOf } from '../chain/address.ts'
import type { TransactionOutput } from '../chain/transaction.ts'
import { DevnetError } from '../failure.ts'

/** An output of a transaction that a test builds: an address or a raw script, and satoshi. */
export type Payment =
  | { readonly address: string; readonly amount: bigint | number }
  | { readonly script: Uint8Array; readonly amount: bigint | number }

/** @throws DevnetError DEVNET_ADDRESS_INVALID unless a regtest address. */
export function scriptOfAddress(address: string): Uint8Array {
  const script = scriptOf(address)
  if (script) return script
  throw new DevnetError('DEVNET_ADDRESS_INVALID', `not a regtest address: ${address.slice(0, 90)}`)
}
/** A whole number of satoshi, or satoshi per vbyte, however it was given. @throws DevnetError DEVNET_USAGE. */
export function wholeSatoshi(amount: bigint | number): bigint {
  if (typeof amount === 'bigint' || Number.isSafeInteger(amount)) return BigInt(amount)
  throw new DevnetError('DEVNET_USAGE', `not a whole number of satoshi: ${amount}`)
}
export const outputOf = (payment: Payment): TransactionOutput => ({
  value: wholeSatoshi(payment.amount),
  script: 'script' in payment ? payment.script : scriptOfAddress(payment.address),
})

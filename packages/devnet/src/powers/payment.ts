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
export const outputOf = (payment: Payment): TransactionOutput => ({
  value: BigInt(payment.amount),
  script: 'script' in payment ? payment.script : scriptOfAddress(payment.address),
})

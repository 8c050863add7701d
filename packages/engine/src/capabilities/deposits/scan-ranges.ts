import { AssertionError } from '../../kernel/index.ts'
import {
  branchDescriptor,
  parseDescriptor,
  printDescriptor,
} from '../../protocol/descriptor/index.ts'
import type { DescriptorRange } from '../chain/index.ts'
import type { KeychainRecord, WalletRecord } from '../wallet/index.ts'

/** A wallet as a node searches its coins: one descriptor for each branch, as far as we watch it. */
export function scanRanges(
  wallet: WalletRecord,
  keychains: readonly KeychainRecord[],
): readonly DescriptorRange[] {
  const parsed = parseDescriptor(wallet.descriptor, { network: wallet.network })
  if (!parsed.ok) throw new AssertionError(`stored descriptor: ${parsed.error.message}`)
  const descriptor = parsed.value
  if (!descriptor.isRanged) return [{ descriptor: wallet.descriptor }]
  return keychains.map(({ branch, watchedTo }) => ({
    descriptor: printDescriptor(branchDescriptor(descriptor, branch)),
    last: Math.max(0, watchedTo - 1),
  }))
}

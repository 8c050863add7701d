import { decodeBlock } from '../chain/block.ts'
import { hashBytes, toReversedHex } from '../chain/bytes.ts'
import { basicFilter, filterHeader } from './blockfilter.ts'

export interface ComputedFilter {
  readonly blockHash: string
  /** As `getblockfilter` shows it: the count and the Golomb-coded set. */
  readonly filter: Uint8Array
  /** Hash of the filter and the header before it. */
  readonly header: string
}
/**
 * The basic filter of any block, also of other networks. `spentScripts`: the output scripts that its inputs spend;
 * `previousHeader`: the filter header of the block before, zeros for genesis. Undefined when the bytes are no block. Source: BIP 157,
 * BIP 158.
 */
export function computeBlockFilter(
  rawBlock: Uint8Array,
  spentScripts: Iterable<Uint8Array>,
  previousHeader: string,
): ComputedFilter | undefined {
  const block = decodeBlock(rawBlock)
  if (!block) return undefined
  const filter = basicFilter(block, spentScripts)
  const header = toReversedHex(filterHeader(filter, hashBytes(previousHeader)))
  return { blockHash: block.header.hash, filter, header }
}

import { type Block, decodeBlock, meetsRegtestTarget } from './block.ts'
import { checkBlock, checkBlockInContext, checkHeader } from './blockrules.ts'
import { sha256d } from './bytes.ts'
import type { Chain } from './chain.ts'
import type { Rejection } from './checks.ts'
import { connectBlock, disconnectBlock } from './connect.ts'
import { makeNode } from './node.ts'

/** The same block with a nonce that has work: a proposal is judged by everything else. */
function withWork(block: Block): Block {
  const raw = block.raw.slice()
  const view = new DataView(raw.buffer)
  while (!meetsRegtestTarget(sha256d(raw.subarray(0, 80)))) {
    view.setUint32(76, (view.getUint32(76, true) + 1) >>> 0, true)
  }
  return decodeBlock(raw) ?? block
}

/** Whether a block could follow the tip, proof of work aside; the chain stays as it is. Source: Core, TestBlockValidity. */
export function testBlock(chain: Chain, proposal: Block): Rejection | undefined {
  const block = withWork(proposal)
  const { tip } = chain
  const now = Math.max(chain.options.now(), tip.header.time)
  const fault =
    checkHeader(block.header, tip, now) ?? checkBlock(block) ?? checkBlockInContext(block, tip)
  if (fault) return fault
  const node = makeNode(block.header, tip, 0)
  const undo = connectBlock(chain.coins, block, node, chain.options.verifySignatures)
  if ('reason' in undo) return undo
  disconnectBlock(chain.coins, block, undo)
  return undefined
}

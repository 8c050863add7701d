import type { Block } from '../chain/block.ts'
import { hashBytes } from '../chain/bytes.ts'
import type { Happening, Happenings } from '../chain/happenings.ts'
import type { BlockNode } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import { type ZmqOptions, ZmqPublisher } from './publisher.ts'
import type { Notification } from './topics.ts'

/** Hashes go out in the order in which people read them. */
const shown = (hash: string): Uint8Array => hashBytes(hash).reverse()

/** The body of `sequence`: hash, label, and for the mempool its count as 8 bytes, little end first. */
function sequence(hash: string, label: 'A' | 'C' | 'D' | 'R', count?: number): Notification {
  const body = Buffer.alloc(count === undefined ? 33 : 41)
  body.set(shown(hash))
  body.write(label, 32, 'latin1')
  if (count !== undefined) body.writeBigUInt64LE(BigInt(count), 33)
  return { topic: 'sequence', body }
}
const ofTransaction = ({ txid, raw }: Transaction): Notification[] => [
  { topic: 'hashtx', body: shown(txid) },
  { topic: 'rawtx', body: raw },
]
const ofBlock = (block: Block, label: 'C' | 'D'): Notification[] => [
  ...block.transactions.flatMap(ofTransaction),
  sequence(block.header.hash, label),
]
const ofTip = (block: Block): Notification[] => [
  { topic: 'hashblock', body: shown(block.header.hash) },
  { topic: 'rawblock', body: block.raw },
]

/** What every block adds to the work of its chain. */
const REGTEST_WORK = 2n

interface Connected {
  readonly block: Block
  readonly node: BlockNode
}

/**
 * What Core 28 publishes of a node's steps, in its order. While blocks are connected Core first settles the mempool (what the
 * blocks evicted, what came back from blocks that left) and tells of the blocks afterwards, so they wait here for the
 * end of the change. Blocks that carry the chain past its former work are one new tip each.
 */
export class Notifier {
  readonly #publish: (notification: Notification) => void
  #connected: Connected[] = []
  #disconnected = 0

  constructor(publish: (notification: Notification) => void) {
    this.#publish = publish
  }
  readonly hear = (happening: Happening): void => {
    switch (happening.kind) {
      case 'transactionAdded': {
        const { transaction } = happening
        this.#tell(ofTransaction(transaction))
        this.#tell([sequence(transaction.txid, 'A', happening.sequence - 1)])
        return
      }
      case 'transactionRemoved':
        // A mined transaction is told of by its block.
        if (happening.reason === 'mined') return
        this.#tell([sequence(happening.transaction.txid, 'R', happening.sequence - 1)])
        return
      case 'blockDisconnected':
        this.#disconnected += 1
        this.#tell(ofBlock(happening.block, 'D'))
        return
      case 'blockConnected':
        this.#connected.push(happening)
        return
      case 'tipChanged':
        this.#settle()
        return
      case 'restored':
        this.#connected = []
        this.#disconnected = 0
    }
  }
  #settle(): void {
    const connected = this.#connected
    const fork = connected[0]?.node.prev?.work ?? 0n
    const former = fork + REGTEST_WORK * BigInt(this.#disconnected)
    this.#connected = []
    this.#disconnected = 0
    for (const [i, { block, node }] of connected.entries()) {
      this.#tell(ofBlock(block, 'C'))
      if (node.work > former || i === connected.length - 1) this.#tell(ofTip(block))
    }
  }
  #tell(notifications: readonly Notification[]): void {
    for (const notification of notifications) this.#publish(notification)
  }
}

/** Publishes what a node tells of; undefined where nothing is wanted. Nothing is open before `listen`. */
export function publishHappenings(
  happenings: Happenings,
  options: boolean | ZmqOptions = false,
): ZmqPublisher | undefined {
  if (options === false) return undefined
  const publisher = new ZmqPublisher(options === true ? {} : options)
  happenings.listen(new Notifier(publisher.publish).hear)
  return publisher
}

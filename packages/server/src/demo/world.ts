import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { assert, EngineError } from '@kaccy/bitcoin/kernel'
import { createDevnetInProcess, type Devnet, type Spend } from '@kaccy/devnet'

/** What can happen in the demo's world. Coins have names: two payments from one coin conflict. */
export type Deed = Readonly<
  | { do: 'pay'; payment: string; coin: string; address: string; amount: number }
  /** Signs a payment and hands it to nobody: a miner has it when the chain is reorganised. */
  | { do: 'prepare'; payment: string; coin: string; amount: number }
  /** Somebody who types pays from their own coins. */
  | { do: 'give'; address: string; amount: number }
  /** The engine sends a transaction: hex. */
  | { do: 'relay'; raw: string }
  | { do: 'mine'; blocks: number }
  /** The last `depth` blocks give way to empty ones. */
  | { do: 'undo'; depth: number }
  /** The last `depth` blocks give way to blocks with these payments. */
  | { do: 'reorganise'; depth: number; blocks: readonly (readonly string[])[] }
>
interface Line {
  readonly id: string
  /** Milliseconds since the epoch: what the node's clock said. */
  readonly at: number
  readonly deed: Deed
}
interface Title {
  readonly format: 'kaccy-demo'
  readonly version: 1
  readonly seed: string
  readonly startedAt: number
}

/** The node and the people who pay, with a memory: every deed is written down before it is done. */
export interface World {
  readonly devnet: Devnet
  readonly seed: string
  /** Ids of deeds done, in order. */
  readonly done: readonly string[]
  /** Writes the deed down, durably, then does it. A deed that is written is done again after a crash. */
  perform(id: string, deed: Deed): void
  close(): Promise<void>
}

const FILE = 'world.jsonl'
/** How ids of deeds begin that somebody typed. */
export const TYPED = 'typed.'

/**
 * Opens the world that lies in `folder`, or a new one. The devnet gives the same bytes for the same seed, clock and
 * calls, so the list of deeds is the whole chain: after a crash at any moment it is rebuilt from its file, and a deed
 * that was written but not yet done is simply done.
 * @throws EngineError DEMO_FOLDER_FOREIGN
 */
export async function openWorld(folder: string, seed: string, now: () => number): Promise<World> {
  const path = join(folder, FILE)
  const { title, lines } = existsSync(path) ? readFile(path) : begin(path, seed, now())
  /** The node's clock stands still during a deed, so that doing it again gives the same block. */
  let during: number | undefined = title.startedAt
  const devnet = createDevnetInProcess({
    seed: title.seed,
    clock: () => during ?? now(),
    dir: folder,
  })
  const payments = new Map<string, Spend>()
  const done: string[] = []
  let last = title.startedAt
  const act = ({ id, at, deed }: Line) => {
    during = at
    last = at
    try {
      perform(devnet, payments, deed)
    } finally {
      during = undefined
    }
    done.push(id)
  }
  for (const line of lines) redo(act, line)
  during = undefined
  await devnet.listen()
  return {
    devnet,
    seed: title.seed,
    done,
    perform(id, deed) {
      const line: Line = { id, at: Math.max(now(), last + 1), deed }
      write(path, line)
      act(line)
    },
    close: () => devnet.close(),
  }
}

/** A typed deed that was refused is written down all the same; it is refused again, and changes nothing again. */
function redo(act: (line: Line) => void, line: Line): void {
  try {
    act(line)
  } catch (error) {
    if (!line.id.startsWith(TYPED)) throw error
  }
}

function perform(devnet: Devnet, payments: Map<string, Spend>, deed: Deed): void {
  switch (deed.do) {
    case 'pay':
    case 'prepare': {
      const address = deed.do === 'pay' ? deed.address : devnet.strangerAddress
      const spend = devnet.spend({ from: deed.coin, outs: [{ address, amount: deed.amount }] })
      payments.set(deed.payment, spend)
      if (deed.do === 'pay') devnet.send(spend.raw)
      return
    }
    case 'give':
      devnet.pay(deed.address, BigInt(deed.amount))
      return
    case 'relay':
      // What the mempool says to it is for the engine to hear.
      devnet.trySend(deed.raw)
      return
    case 'mine':
      devnet.mine(deed.blocks)
      return
    case 'undo':
      devnet.reorg(deed.depth)
      return
    case 'reorganise':
      devnet.reorg(deed.depth, {
        blocks: deed.blocks.map((names) =>
          names.map((name) => {
            const spend = payments.get(name)
            assert(spend, `the demo has no payment ${name}`)
            return spend.raw
          }),
        ),
      })
      return
  }
}

function write(path: string, line: Line | Title): void {
  appendFileSync(path, `${JSON.stringify(line)}\n`)
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function begin(path: string, seed: string, startedAt: number): { title: Title; lines: Line[] } {
  const title: Title = { format: 'kaccy-demo', version: 1, seed, startedAt }
  write(path, title)
  return { title, lines: [] }
}

/** A last line that was cut by a crash was never done: it is left out and written anew. */
function readFile(path: string): { title: Title; lines: Line[] } {
  const foreign = () =>
    new EngineError('DEMO_FOLDER_FOREIGN', `${path} is no record of this demo`, {
      details: { path },
    })
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
  const [first = '', ...rest] = whole.split('\n').slice(0, -1)
  try {
    const title = JSON.parse(first) as Title
    if (title.format !== 'kaccy-demo' || title.version !== 1) throw foreign()
    return { title, lines: rest.map((line) => JSON.parse(line) as Line) }
  } catch {
    throw foreign()
  }
}

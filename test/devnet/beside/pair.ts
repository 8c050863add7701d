import { readFile } from 'node:fs/promises'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { startBitcoind } from '../../counterparts/bitcoind.ts'
import type { TestNode } from '../../counterparts/node.ts'
import { freePorts } from '../../counterparts/process.ts'
import { differencesOf, type Finding } from './compare.ts'
import { DIFFERENCES, type Difference } from './differences.ts'
import { TOPICS } from './zmq.ts'

/** Seconds since the epoch at which both clocks begin to stand. */
export const NOW = 1_795_370_832

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}
export interface Side {
  readonly name: 'core' | 'devnet'
  readonly url: string
  readonly authorization: string
  readonly zmq: string
}
export type Params = readonly unknown[] | Readonly<Record<string, unknown>>

/** One Bitcoin Core and one devnet with the same clock, which are asked the same and must answer the same. */
export class Pair {
  readonly core: Side
  readonly devnet: Side
  readonly #close: () => Promise<void>
  readonly #hit = new Set<Difference>()
  readonly methods = new Set<string>()
  /** Answers compared, and how many of them were the same text. */
  compared = 0
  equal = 0
  #findings: Finding[] = []
  time = NOW

  constructor(core: Side, devnet: Side, close: () => Promise<void>) {
    this.core = core
    this.devnet = devnet
    this.#close = close
  }
  /** Differences without a name since the last time; each place once. */
  takeFindings(): readonly Finding[] {
    const byPlace = new Map(
      this.#findings.map(
        (each) => [`${each.call} ${each.path} ${each.core.slice(0, 40)}`, each] as const,
      ),
    )
    this.#findings = []
    return [...byPlace.values()]
  }
  /** Named differences that did not occur. */
  unhit(): readonly Difference[] {
    return DIFFERENCES.filter((each) => !this.#hit.has(each))
  }
  close = (): Promise<void> => this.#close()

  /** Core's result; undefined where it refused. Both answers are compared to the letter. */
  async ask<T = unknown>(method: string, params: Params = [], wallet?: string): Promise<T> {
    this.methods.add(method)
    const path = wallet === undefined ? '/' : `/wallet/${wallet}`
    const body = JSON.stringify({ jsonrpc: '1.0', id: 1, method, params })
    const text = await this.#same(method, path, { method: 'POST', body })
    return (JSON.parse(text) as { readonly result: T }).result
  }
  /** Any HTTP request, compared with status and content type. */
  async fetch(call: string, path: string, init: RequestInit = {}): Promise<void> {
    await this.#same(call, path, init)
  }
  async #same(call: string, path: string, init: RequestInit): Promise<string> {
    const [core, devnet] = await Promise.all([
      send(this.core, path, init),
      send(this.devnet, path, init),
    ])
    this.compared += 1
    const isFree = (place: string) => freeOrder(call, place) !== undefined
    const { places, reordered } = differencesOf(core.body, devnet.body, isFree)
    const head = ({ status, type }: Answer) => `${status} ${type}`
    if (head(core) !== head(devnet)) {
      places.push({ path: '(status)', core: head(core), devnet: head(devnet) })
    }
    if (places.length + reordered.size === 0) this.equal += 1
    for (const place of reordered) this.#hit.add(must(freeOrder(call, place)))
    const asked = `${path} ${String(init.body ?? '')}`.slice(0, 300)
    for (const place of places) this.#note({ ...place, call, asked })
    return core.body
  }
  #note(finding: Finding): void {
    const named = DIFFERENCES.find(
      ({ call, path, same }) =>
        (call === finding.call || call === '*') &&
        path === finding.path &&
        (same === undefined || same(finding.core) === same(finding.devnet)),
    )
    if (named) this.#hit.add(named)
    else this.#findings.push(finding)
  }

  /** One side only, nothing compared. Rejects with the error. */
  async only<T = unknown>(side: Side, method: string, params: Params = []): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '1.0', id: 1, method, params })
    const answer = await send(side, '/', { method: 'POST', body })
    const { result, error } = JSON.parse(answer.body) as { result: T; error: unknown }
    if (error) throw new TypeError(`${side.name}: ${method}: ${JSON.stringify(error)}`)
    return result
  }
  /** Blocks that one side makes and the other is given; their hashes. */
  async mine(by: 'core' | 'devnet', count: number, address: string): Promise<readonly string[]> {
    const [maker, other] = by === 'core' ? [this.core, this.devnet] : [this.devnet, this.core]
    const hashes = await this.only<string[]>(maker, 'generatetoaddress', [count, address])
    for (const hash of hashes) await this.hand(maker, other, hash)
    await this.settle()
    return hashes
  }
  async hand(from: Side, to: Side, hash: string): Promise<void> {
    const block = await this.only(from, 'getblock', [hash, 0])
    const verdict = await this.only(to, 'submitblock', [block])
    if (verdict !== null && verdict !== 'inconclusive') {
      throw new TypeError(`${to.name} refused ${hash}: ${String(verdict)}`)
    }
  }
  async travel(seconds: number): Promise<void> {
    this.time += seconds
    await this.ask('setmocktime', [this.time])
  }
  /** Core's indexes and wallets follow the chain in a thread of their own: waits for them. */
  async settle(): Promise<void> {
    await this.only(this.core, 'syncwithvalidationinterfacequeue')
    const height = await this.only<number>(this.core, 'getblockcount')
    for (let tries = 0; tries < 500; tries++) {
      type Index = { readonly synced: boolean; readonly best_block_height: number }
      const info = await this.only<Record<string, Index>>(this.core, 'getindexinfo')
      // After an invalidated block an index goes back with the next one only.
      const isDone = Object.values(info).every(
        (index) => index.synced && index.best_block_height >= height,
      )
      if (isDone) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new TypeError("Core's indexes did not follow")
  }
}

const freeOrder = (call: string, path: string): Difference | undefined =>
  DIFFERENCES.find((each) => each.unordered && each.call === call && each.path === path)
function must<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a free order has a name')
  return value
}

async function send(side: Side, path: string, init: RequestInit): Promise<Answer> {
  const { authorization } = side
  const response = await fetch(side.url + path, {
    ...init,
    headers: { authorization },
    signal: AbortSignal.timeout(30_000),
  })
  // Latin 1 keeps every byte of a binary answer.
  const body = Buffer.from(await response.arrayBuffer())
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    type,
    body: body.toString(type.includes('octet') ? 'latin1' : 'utf8'),
  }
}

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`
async function coreSide(node: TestNode, zmq: string): Promise<Side> {
  const { url, auth } = node.source
  if (!auth || !('cookieFile' in auth)) throw new TypeError('Core was started with a cookie')
  const cookie = (await readFile(String(auth.cookieFile), 'utf8')).trim()
  return { name: 'core', url: String(url), authorization: basic(cookie), zmq }
}
function devnetSide(devnet: Devnet): Side {
  const { user, password } = devnet.auth
  return {
    name: 'devnet',
    url: devnet.rpcUrl,
    authorization: basic(`${user}:${password}`),
    zmq: devnet.zmq?.addresses.hashblock ?? '',
  }
}
/** Starts both from genesis. @throws where Core is missing. */
export async function startPair(): Promise<Pair> {
  const [port = 0] = await freePorts(1)
  const zmq = `tcp://127.0.0.1:${port}`
  const node = await startBitcoind({
    args: [
      '-rest',
      '-blockfilterindex',
      // With more threads a failed script is named in less detail.
      '-par=1',
      // As many addresses ahead as the devnet watches.
      '-keypool=20',
      `-mocktime=${NOW}`,
      ...TOPICS.map((topic) => `-zmqpub${topic}=${zmq}`),
    ],
  })
  // A new chain publishes its genesis before anybody can listen, and counts it.
  await node.restart()
  const devnet = await createDevnet({ start: 'genesis', clock: NOW * 1000, zmq: true })
  return new Pair(await coreSide(node, zmq), devnetSide(devnet), async () => {
    await devnet.close()
    await node.stop()
  })
}

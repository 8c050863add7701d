import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it } from 'vitest'
import { addressOf, createDevnetInProcess, type Devnet, type Json, namedKey } from '../index.ts'
import { writeJson } from '../rpc/json.ts'

const KILLS = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1 ? 100 : 20
const TIME = 1_700_000_000
const MAIN = new URL('../main.ts', import.meta.url).pathname
const shop = addressOf(namedKey('shop').script) ?? ''

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

/** The command in a process of its own, as a user runs it. */
class Victim {
  readonly child: ChildProcess
  readonly #url: string
  readonly dead: Promise<unknown>

  private constructor(child: ChildProcess, url: string) {
    this.child = child
    this.#url = url
    this.dead = once(child, 'exit')
  }
  static async start(folder: string): Promise<Victim> {
    const args = ['--data', folder, '--time', `${TIME}`, '--seed', 'kill', '--password', 'p']
    const child = spawn(
      process.execPath,
      ['--conditions=@kaccy/source', MAIN, '--port', '0', '--json', '--no-rest', ...args],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    cleanups.push(() => void child.kill('SIGKILL'))
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    return new Victim(child, JSON.parse(line).url)
  }
  /** The text of the answer's result or error; rejects when the connection breaks. */
  call(method: string, params: readonly unknown[] = []): Promise<string> {
    const { hostname, port } = new URL(this.#url)
    const options = { hostname, port, auth: 'devnet:p', method: 'POST', agent: false }
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')))
      })
      sent.on('error', reject)
      sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
    })
  }
}

interface Order {
  readonly method: string
  readonly params: readonly unknown[]
}
/** Orders that depend on what is there, chosen from the twin. */
function nextOrder(twin: Devnet, random: (below: number) => number): Order {
  const waiting = twin.view.mempool()
  const some = waiting[random(Math.max(1, waiting.length))]
  const { height } = twin.tip
  switch (random(9)) {
    case 0:
      return { method: 'generatetoaddress', params: [1 + random(4), shop] }
    case 1:
      return { method: 'devnet_reorg', params: [Math.min(1 + random(3), height - 110), {}] }
    case 2:
      return some
        ? { method: 'devnet_replace', params: [some] }
        : { method: 'devnet_mine', params: [1] }
    case 3:
      return { method: 'devnet_evict', params: [some ? [some] : []] }
    case 4:
      return { method: 'devnet_travel', params: [random(3000), random(2)] }
    case 5:
      return {
        method: 'invalidateblock',
        params: [twin.view.hashAt(height > 113 ? height : 0) ?? ''],
      }
    case 6:
      return {
        method: 'devnet_reorg',
        params: [Math.min(2, height - 110), { keep: 'all', blocks: 2 }],
      }
    default:
      return { method: 'devnet_pay', params: [shop, '0.001'] }
  }
}
function obey(twin: Devnet, { method, params }: Order): void {
  try {
    twin.call(method, params)
  } catch {
    // Refused here as it is refused there; the states are compared.
  }
}

const LOOKS: readonly (readonly [string, readonly unknown[]])[] = [
  ['getchaintips', []],
  ['gettxoutsetinfo', ['muhash']],
  ['getrawmempool', [true]],
  ['getrawmempool', [false, true]],
  ['devnet_info', []],
]
const stateOf = async (victim: Victim): Promise<unknown[]> =>
  Promise.all(
    LOOKS.map(async ([method, params]) => JSON.parse(await victim.call(method, params)).result),
  )
const stateOfTwin = (twin: Devnet): unknown[] =>
  LOOKS.map(([method, params]) => JSON.parse(writeJson(twin.call(method, params) as Json)))

it(`${KILLS} kills at any moment take back nothing that was acknowledged`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-devnet-kills-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  const twin = createDevnetInProcess({ clock: TIME * 1000, seed: 'kill' })
  let state = 12_345
  // A fixed order of numbers, so that a failure can be told; the moment of the kill is the machine's.
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  let acknowledged = 0
  let victim = await Victim.start(folder)
  for (let kill = 0; kill < KILLS; kill++) {
    setTimeout((child: ChildProcess) => child.kill('SIGKILL'), 3 + random(120), victim.child)
    let open: Order | undefined
    while (open === undefined) {
      const order = nextOrder(twin, random)
      try {
        await victim.call(order.method, order.params)
        obey(twin, order)
        acknowledged += 1
      } catch {
        // Killed: nobody knows whether this one was done.
        open = order
      }
    }
    await victim.dead
    victim = await Victim.start(folder)
    const found = await stateOf(victim)
    // What was not acknowledged is there as a whole or not at all.
    if (JSON.stringify(found) !== JSON.stringify(stateOfTwin(twin))) obey(twin, open)
    expect(found).toEqual(stateOfTwin(twin))
  }
  expect(acknowledged).toBeGreaterThan(KILLS)
})

import { readdirSync } from 'node:fs'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Answer,
  ask,
  compareWith,
  folder,
  type Recording,
  recording,
  shape,
} from './recording.ts'

const NOW = 1_795_370_832_000
let devnet: Devnet
const compared = new Set<string>()

beforeAll(async () => {
  devnet = await createDevnet({ clock: () => NOW, start: 'genesis' })
})
afterAll(() => devnet.close())

const credentials = () => `${devnet.auth.user}:${devnet.auth.password}`
const ownCall = (path: string, method: string, ...params: readonly unknown[]) =>
  ask(devnet, path, JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }), credentials())
const inWallet = (method: string, ...params: readonly unknown[]) =>
  ownCall('/wallet/w', method, ...params)
/** The result of a call of the wallet that must succeed. */
async function result<T>(method: string, ...params: readonly unknown[]): Promise<T> {
  const { text } = await inWallet(method, ...params)
  const answer = JSON.parse(text) as { readonly result: T; readonly error: unknown }
  expect({ method, error: answer.error }).toEqual({ method, error: null })
  return answer.result
}
const again = (name: string): Promise<Answer> => {
  const { path, request } = recording(name)
  return ask(devnet, path, JSON.stringify(request), credentials())
}

/** Top-level members of a JSON array without its brackets. */
function members(text: string): readonly string[] {
  const found: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? ''
    if ('{['.includes(letter)) depth += 1
    if (']}'.includes(letter)) depth -= 1
    if (depth > 0 || letter !== ',') continue
    found.push(text.slice(start, at))
    start = at + 1
  }
  return [...found, text.slice(start)].filter((member) => member !== '')
}
/** Core lists the transactions of a wallet in the order of a hash table that it salts anew at every start. */
const sorted = (text: string): string =>
  text.replace(/^(\{"result":\{"transactions":\[)(.*)(\],"removed")/, (_, head, list, tail) => {
    const entries = [...members(list)].sort((a, b) => (shape(a) < shape(b) ? -1 : 1))
    return `${head}${entries.join(',')}${tail}`
  })
async function compare(name: string, make: () => Promise<Answer>): Promise<void> {
  compared.add(name)
  const recorded = recording(name)
  const ordered: Recording = { ...recorded, responseText: sorted(recorded.responseText) }
  await compareWith(ordered, async () => {
    const answer = await make()
    return { ...answer, text: sorted(answer.text) }
  })
}

describe("a wallet's recorded answers", () => {
  /** What the scenes refer to, as they come about. */
  const made: Record<string, string> = {}

  it('are the same before anything is spent', async () => {
    await ownCall('/', 'createwallet', 'w')
    await ownCall('/', 'createwallet', 'watch', true)
    await compare('error-wallet-not-found', () => again('error-wallet-not-found'))
    await compare('error-wallet-not-specified', () => again('error-wallet-not-specified'))
    await compare('importdescriptors', () => again('importdescriptors'))
    made['mining'] = await result<string>('getnewaddress', '')
    await result('generatetoaddress', 110, made['mining'])
    const tip = devnet.tip.hash
    await compare('error-listsinceblock-target-zero', () => inWallet('listsinceblock', tip, 0))
    await compare('getreceivedbyaddress-not-mine', () => again('getreceivedbyaddress-not-mine'))
  })

  it('are the same for what waits', async () => {
    const types = ['bech32', 'p2sh-segwit', 'bech32m', 'legacy']
    for (const type of types) {
      made[type] = await result<string>('getnewaddress', `deposit-${type}`, type)
    }
    const first = { [made['bech32'] ?? '']: 0.29 }
    const options = { change_position: 1, locktime: 110, fee_rate: 10 }
    const { txid } = await result<{ txid: string }>('send', [first], null, 'unset', null, options)
    made['replaced'] = txid
    const three = [
      { [made['p2sh-segwit'] ?? '']: 0.2 },
      { [made['bech32m'] ?? '']: 0.3 },
      { [made['legacy'] ?? '']: 0.1 },
    ]
    const last = { ...options, change_position: 3 }
    const other = await result<{ txid: string }>('send', three, null, 'unset', null, last)
    made['sent'] = other.txid
    const tip = devnet.tip.hash
    await compare('listsinceblock-unconfirmed', () =>
      inWallet('listsinceblock', tip, 1, true, true),
    )
    const { text } = await inWallet('bumpfee', txid)
    await compare('bumpfee', async () => ({
      status: 200,
      contentType: 'application/json',
      text,
    }))
    await compare('gettransaction-replaced', () => inWallet('gettransaction', txid, true, true))
  })

  it('are the same for what is mined', async () => {
    const before = devnet.tip.hash
    await result('generatetoaddress', 1, made['mining'])
    made['block'] = devnet.tip.hash
    await compare('listsinceblock-confirmed', () =>
      inWallet('listsinceblock', before, 6, true, true),
    )
    await compare('gettransaction-confirmed', () =>
      inWallet('gettransaction', made['sent'], true, true),
    )
    await compare('listtransactions', () => inWallet('listtransactions', '*', 10, 0, true))
    await compare('getbalances', () => inWallet('getbalances'))
    const own = [made['bech32']]
    await compare('listunspent', () => inWallet('listunspent', 0, 9_999_999, own, true))
  })

  it('are the same for PSBTs', async () => {
    const outputs = [{ [made['bech32'] ?? '']: 0.5 }]
    // The recorded one spends the single large taproot coin of the wallet.
    const coins =
      await result<readonly { txid: string; vout: number; desc: string }[]>('listunspent')
    const taproot = coins.filter(({ desc }) => desc.startsWith('tr('))
    const locks = coins.filter(({ desc }) => !desc.startsWith('tr('))
    expect(taproot.length).toBeGreaterThan(0)
    await result(
      'lockunspent',
      false,
      locks.map(({ txid, vout }) => ({ txid, vout })),
    )
    const params = [[], outputs, 0, { fee_rate: 5, changePosition: 1 }, true]
    const funded = await inWallet('walletcreatefundedpsbt', ...params)
    await compare('walletcreatefundedpsbt', async () => funded)
    const { psbt } = (JSON.parse(funded.text) as { result: { psbt: string } }).result
    await compare('analyzepsbt', () => ownCall('/', 'analyzepsbt', psbt))
    await compare('decodepsbt', () => ownCall('/', 'decodepsbt', psbt))
    const processed = await inWallet('walletprocesspsbt', psbt)
    await compare('walletprocesspsbt', async () => processed)
    const signed = (JSON.parse(processed.text) as { result: { psbt: string } }).result
    await compare('finalizepsbt', () => ownCall('/', 'finalizepsbt', signed.psbt))
    await result('lockunspent', true)
  })

  it('are the same to the byte for recorded PSBTs', async () => {
    for (const name of ['analyzepsbt', 'decodepsbt', 'finalizepsbt']) {
      expect((await again(name)).text).toBe(recording(name).responseText)
    }
  })

  it('are the same after a reorganisation', async () => {
    const block = made['block']
    const saved = devnet.snapshot()
    // Core's wallet had not heard of the returned transactions yet when this was recorded: here they are lost.
    devnet.reorg(1, { blocks: [], drop: 'all' })
    await compare('listsinceblock-removed', () => inWallet('listsinceblock', block, 1, true, true))
    devnet.restore(saved)
    await ownCall('/', 'invalidateblock', block)
    const waiting = devnet.view.mempool()
    expect(waiting.length).toBe(2)
    for (let left = 2; left > 0; left--) await ownCall('/', 'generateblock', made['mining'], [])
    await compare('listsinceblock-after-reorg', () =>
      inWallet('listsinceblock', block, 1, true, true),
    )
  })

  it('were all compared', () => {
    const open = readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.replace('.json', ''))
      .filter((name) => {
        const { path, request } = recording(name)
        const { method = '' } = (request ?? {}) as { readonly method?: string }
        return path.startsWith('/wallet/') || /psbt|wallet/.test(method)
      })
      .filter((name) => !compared.has(name))
    expect(open).toEqual([])
  })
})

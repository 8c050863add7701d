import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { callKaccy, type Ended, objectsOf, runKaccy, type Said, startKaccy } from './kaccy.ts'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-demo-test-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const field = (value: unknown, name: string): unknown => (value as Said | undefined)?.[name]
const statesOf = (said: readonly Said[]): string[] =>
  said
    .filter(({ type, order }) => type === 'state' && order !== null)
    .map(({ order }) =>
      ['status', 'amount_verdict', 'credited_sat'].map((name) => field(order, name)).join(' '),
    )
    .filter((state, at, all) => state !== all[at - 1])
const eventTypes = (said: readonly Said[]): unknown[] =>
  said.filter(({ type }) => type === 'event').map(({ event }) => field(event, 'type'))

/** Everything that must be the same however often the process was stopped: the order, the books, the events. */
async function outcomeIn(folder: string) {
  const where = ['--network', 'regtest', '--database', join(folder, 'demo.sqlite'), '--json']
  const ask = async (...args: string[]) => {
    const ended = await callKaccy([...args, ...where])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    return objectsOf(ended)
  }
  const [order] = await ask('order', 'show', 'demo-order-1')
  const events = await ask('events')
  const books = await ask('books')
  await ask('audit', 'verify')
  // Ids carry the time of their making; everything else is the same in every run.
  const bare = (value: unknown) =>
    JSON.stringify(value).replace(/(wal|ord|wdr|psb|spd)_[0-9a-f]{32}/g, '$1')
  return {
    order: { status: order?.['status'], credited: order?.['credited_sat'] },
    payments: ((order?.['payments'] ?? []) as Said[]).map(({ txid, amount_sat, booked }) =>
      [txid, amount_sat, booked].join(' '),
    ),
    events: events.map(({ seq, type }) => `${seq} ${type}`),
    books: books.map(bare),
  }
}

let undisturbed: ReturnType<typeof outcomeIn> | undefined
/** The same demo, left alone. */
function twin() {
  undisturbed ??= (async () => {
    const folder = newFolder()
    expect(await callKaccy(['demo', '--fast', '--json', '--data', folder])).toMatchObject({
      code: 0,
    })
    return outcomeIn(folder)
  })()
  return undisturbed
}

test('the demo goes from an order to its books, through a reorganisation', async () => {
  const ended: Ended = await runKaccy(['demo', '--fast', '--json'])
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  const said = objectsOf(ended)
  expect(said.filter(({ type }) => type === 'step').map(({ step }) => step)).toEqual([
    'order',
    'pay_first',
    'pay_rest',
    'confirm',
    'credit',
    'reorg',
    'redo',
    'finalize',
    'payout',
    'bump',
    'cancel',
  ])
  expect(statesOf(said)).toEqual([
    'pending none 0',
    'unconfirmed underpaid 0',
    'unconfirmed exact 0',
    'confirmed exact 0',
    'full_confirmed exact 150000',
    'unconfirmed underpaid 0',
    'full_confirmed exact 150000',
    'finalized exact 150000',
  ])
  const types = eventTypes(said)
  expect(types.slice(0, 2)).toEqual(['wallet.registered', 'order.created'])
  const times = (type: string) => types.filter((other) => other === type).length
  expect({
    reversed: times('payment.reversed'),
    credited: times('payment.credited'),
    reorged: times('order.reorged'),
    replaced: times('order.payment_replaced'),
    alerts: times('alert.raised'),
    finalized: times('order.finalized'),
  }).toEqual({ reversed: 2, credited: 4, reorged: 2, replaced: 1, alerts: 2, finalized: 1 })
  const seqs = said.filter(({ type }) => type === 'event').map(({ event }) => field(event, 'seq'))
  expect(seqs).toEqual(seqs.map((_, at) => at + 1))
  const books = said.find(({ type }) => type === 'books')
  expect(books).toMatchObject({ sum_sat: 0, verified: true, drift_sat: 0, coins: 1 })
  expect(field(books, 'audit_entries')).toBeGreaterThan(5)
  const balances = (field(books, 'accounts') as Said[]).map(({ account, balance_sat }) => [
    String(account).split('/')[0],
    balance_sat,
  ])
  expect(balances).toEqual([
    ['coins', 37_518],
    ['expected', 0],
    ['fees', 2_482],
    ['held', 0],
    ['held', 0],
    ['owed', -40_000],
    ['pending', 0],
    ['spent', 0],
  ])
  // One was paid by its second version, the other one taken back by a third.
  const ends = (subject: string) => types.filter((type) => String(type).startsWith(subject))
  expect(ends('withdrawal.')).toEqual(
    [
      ...['requested', 'approved', 'batched', 'signing', 'sending', 'replaced', 'bumped', 'mined'],
      ...['requested', 'approved', 'batched', 'signing', 'sending', 'cancel_asked', 'replaced'],
      ...['settled', 'cancelled'],
    ].map((what) => `withdrawal.${what}`),
  )
  expect(times('psbt.confirmed')).toBe(2)
  expect(said.at(-1)).toMatchObject({ type: 'end', finished: true })
})

test.each([
  ['SIGINT', 'pay_rest', 130],
  ['SIGTERM', 'reorg', 130],
  ['SIGKILL', 'credit', null],
  ['SIGKILL', 'redo', null],
  ['SIGKILL', 'bump', null],
] as const)('stopped by %s at %s it goes on where it was', async (signal, step, code) => {
  const folder = newFolder()
  const args = ['demo', '--fast', '--json', '--data', folder]
  const first = startKaccy(args)
  await first.said((object) => object['type'] === 'step' && object['step'] === step)
  first.process.kill(signal)
  expect((await first.ended).code).toBe(code)
  expect(existsSync(join(folder, 'world.jsonl'))).toBe(true)

  const second = await runKaccy(args)
  expect(second).toMatchObject({ code: 0, stderr: '' })
  expect(objectsOf(second).at(-1)).toMatchObject({ type: 'end', finished: true })
  expect(await outcomeIn(folder)).toEqual(await twin())

  // A third time there is nothing left to do, and nothing is done twice.
  expect(await callKaccy(args)).toMatchObject({ code: 0, stderr: '' })
  expect(await outcomeIn(folder)).toEqual(await twin())
})

test('without --data nothing is left behind, and another folder is refused', async () => {
  const folder = newFolder()
  const ended = await runKaccy(['demo', '--fast'], { TMPDIR: folder })
  expect(ended.code).toBe(0)
  expect(ended.stdout).toContain('drift 0')
  expect(readdirSync(folder)).toEqual([])
  writeFileSync(join(folder, 'world.jsonl'), '{"format":"else"}\n')
  const refused = await callKaccy(['demo', '--fast', '--data', folder])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/^DEMO_FOLDER_FOREIGN: /)
})

test('served, the demo takes orders by its API and customers pay them by typing', async () => {
  const folder = newFolder()
  const flags = ['--fast', '--json', '--serve', '--listen', '127.0.0.1:0', '--data', folder]
  const demo = startKaccy(['demo', ...flags], {}, folder, 'typed')
  const {
    url,
    token,
    pay_url: page,
    key_file: key,
  } = await demo.said(({ type }) => type === 'serving')
  await demo.said(({ type }) => type === 'end')
  const shown = await fetch(String(page))
  expect([shown.status, shown.headers.get('content-type')]).toEqual([
    200,
    'text/html; charset=utf-8',
  ])
  expect((await fetch(`${url}/v1/orders`)).status).toBe(401)
  const headers = { authorization: `Bearer ${token}` }
  const { data } = (await (await fetch(`${url}/v1/orders`, { headers })).json()) as { data: Said[] }
  expect(data.map(({ external_id }) => external_id)).toEqual(['demo-order-1'])

  const ask = ['--api', String(url), '--api-key-file', String(key), '--json']
  const [order] = objectsOf(await callKaccy(['order', 'create', '--amount', '20000', ...ask]))
  demo.process.stdin?.write(`pay ${order?.['address']} 20000\nmine 3\n`)
  const follow = startKaccy(['events', '--follow', '--subject', String(order?.['id']), ...ask])
  await follow.said(({ type }) => type === 'order.full_confirmed')
  follow.process.kill('SIGTERM')
  await follow.ended
  demo.process.stdin?.write('pay nobody 1\n')
  await demo.said(({ type }) => type === 'refused')
  demo.process.stdin?.write('quit\n')
  expect(await demo.ended).toMatchObject({ code: 0, stderr: '' })

  // What was typed is part of the chain: the next run has it, and the same key opens it.
  const again = startKaccy(['demo', ...flags], {}, folder, 'typed')
  const served = await again.said(({ type }) => type === 'serving')
  expect(served['token']).toBe(token)
  await again.said(({ type }) => type === 'end')
  const at = ['--api', String(served['url']), '--api-key-file', String(key), '--json']
  const [kept] = objectsOf(await callKaccy(['order', 'show', String(order?.['id']), ...at]))
  expect(kept).toMatchObject({ status: 'full_confirmed', credited_sat: 20_000 })
  again.process.kill('SIGTERM')
  expect((await again.ended).code).toBe(130)
})

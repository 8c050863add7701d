import type { Broadcaster, SendAnswer } from '@kaccy/bitcoin/broadcast'
import { type SpendId, toHex } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { expectSound } from './sound.ts'
import { MINUTE, World, type WorldOptions } from './world.ts'

let world: World
const open = async (options: WorldOptions = {}) => {
  world = await World.open(options)
  return world
}
afterEach(() => world.close())

/** What the node was given, and answers that take the place of its own. */
function listener() {
  const sent: string[] = []
  const answers: (SendAnswer | undefined)[] = []
  const lost: boolean[] = []
  const between = (node: Broadcaster): Broadcaster => ({
    ...node,
    async send(token, maxRate) {
      sent.push(toHex(token.bytes))
      if (lost.shift()) await node.send(token, maxRate)
      return answers.shift() ?? node.send(token, maxRate)
    },
  })
  return { sent, answers, lost, between }
}
const UNKNOWN: SendAnswer = { answer: 'unknown', reason: 'NODE_TIMEOUT' }
const refused = (verdict: 'retry_same' | 'replace' | 'never' | 'ask_human'): SendAnswer => ({
  answer: 'refused',
  reason: 'some words',
  verdict,
})
const due = async (id: SpendId): Promise<number | undefined> => {
  const { nextAt } = await world.current(id)
  return nextAt === undefined ? undefined : nextAt - world.now
}

test.each([[false], [true]])(
  'an unknown outcome (it arrived: %s) sends the same bytes again and nothing else',
  async (arrived) => {
    const ear = listener()
    await open({ between: ear.between })
    await world.fund(100_000, 90_000)
    const spend = await world.pay(50_000)
    await world.sign(spend.id)
    ear.answers.push(UNKNOWN, UNKNOWN)
    ear.lost.push(arrived)
    expect(await world.broadcast.sendDue()).toMatchObject({ unknown: 1 })
    const version = await world.current(spend.id)
    expect(version).toMatchObject({ sends: 1, lastSend: { answer: 'unknown' } })
    // Nobody knows, so nobody says that it is out.
    expect(version.status).toBe('finalized')
    expect(await world.told('psbt.broadcast')).toEqual([])
    expect(await world.broadcast.sendDue()).toMatchObject({ unknown: 0 })
    world.now += 6_000
    expect(await world.broadcast.sendDue()).toMatchObject({ unknown: 1 })
    world.now += MINUTE
    expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
    expect(new Set(ear.sent).size).toBe(1)
    expect((await world.spending.list({ limit: 10 })).length).toBe(1)
    expect((await world.versions(spend.id)).length).toBe(1)
    await world.look()
    await expectSound(world)
  },
)

test('missing inputs prove nothing: mined, spent on, and offered again', async () => {
  const ear = listener()
  await open({ between: ear.between })
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.sign(spend.id)
  ear.answers.push(UNKNOWN)
  ear.lost.push(true)
  await world.broadcast.sendDue()
  // Mined, and its change spent, before we look.
  const change = await world.signedOutside(spend.id)
  expect(change.length).toBeGreaterThan(0)
  world.devnet.mine(1)
  world.now += MINUTE
  ear.answers.push({
    answer: 'refused',
    reason: 'bad-txns-inputs-missingorspent',
    verdict: 'retry_same',
  })
  expect(await world.broadcast.sendDue()).toMatchObject({ refused: 1 })
  expect((await world.spending.get(spend.id))?.spend.status).toBe('open')
  expect((await world.store.read((tx) => tx.coins.leasesOf(spend.id))).length).toBe(1)
  await world.mine(5)
  expect(await world.status(spend.id)).toBe('settled: payment confirmed')
  expect(await world.alerts()).toEqual([])
})

test.each([
  ['retry_same', 5_000, [], undefined],
  ['replace', 10 * MINUTE, ['broadcast_refused'], 'bump'],
  ['never', undefined, ['broadcast_refused'], undefined],
  ['ask_human', 60 * MINUTE, ['broadcast_refused'], undefined],
] as const)('after %s', async (verdict, pause, alerts, bumps) => {
  const ear = listener()
  await open({ between: ear.between })
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.sign(spend.id)
  ear.answers.push(refused(verdict))
  expect(await world.broadcast.sendDue()).toMatchObject({ refused: 1 })
  expect(await due(spend.id)).toBe(pause)
  expect(await world.alerts()).toEqual(alerts)
  expect((await world.spending.get(spend.id))?.spend.bumpAt === world.now).toBe(bumps === 'bump')
  expect(await world.status(spend.id)).toBe('open: payment finalized')
  expect((await world.free()).length).toBe(0)
  await expectSound(world)
  // A person has looked, and the node takes it now.
  expect(await world.broadcast.sendSoon((await world.current(spend.id)).id)).toBe(true)
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
})

test('who dies between claim and answer leaves a claim that ends: the next one sends the same bytes', async () => {
  const ear = listener()
  let dies = true
  await open({
    between: (node) => ({
      ...ear.between(node),
      async send(token, maxRate) {
        ear.sent.push(toHex(token.bytes))
        if (!dies) return node.send(token, maxRate)
        await node.send(token, maxRate)
        throw new TypeError('the process is gone')
      },
    }),
  })
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.sign(spend.id)
  await expect(world.broadcast.sendDue()).rejects.toThrow('gone')
  dies = false
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 0 })
  world.now += 3 * MINUTE
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
  expect(new Set(ear.sent).size).toBe(1)
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment broadcast')
})

test('an older version is not offered beside a newer one that can be sent, and is again when that one is refused', async () => {
  const ear = listener()
  await open({ between: ear.between })
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  const first = await world.send(spend.id)
  world.devnet.evict(first)
  await world.look()
  await world.spending.bump(spend.id, { speed: world.rate(9_000) }, 'operator:test')
  const [v1] = await world.versions(spend.id)
  const v2 = await world.sign(spend.id)
  ear.sent.length = 0
  ear.answers.push(refused('never'))
  await world.broadcast.sendDue()
  expect(ear.sent).toEqual([toHex(v2.raw ?? new Uint8Array())])
  if (v1) await world.broadcast.sendSoon(v1.id)
  await world.broadcast.sendDue()
  expect(ear.sent.length).toBe(2)
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment broadcast, bump finalized')
  await expectSound(world)
})

test('two processes at once send once', async () => {
  const ear = listener()
  await open({ between: ear.between })
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.sign(spend.id)
  await Promise.all([world.broadcast.sendDue(), world.broadcast.sendDue()])
  expect(ear.sent.length).toBe(1)
})

test.each<readonly [string, (world: World, id: SpendId) => Promise<void>]>([
  [
    'another output',
    (at, id) =>
      at.tamper(id, (version) => {
        const raw = Uint8Array.from(version.raw ?? [])
        // The first byte of the first output's program.
        const script = version.transaction.outputs[0]?.script ?? new Uint8Array()
        const from = toHex(raw).indexOf(toHex(script)) / 2
        raw[from + 5] = (raw[from + 5] ?? 0) ^ 1
        return { ...version, raw }
      }),
  ],
  [
    'a broken signature',
    (at, id) =>
      at.tamper(id, (version) => {
        const raw = Uint8Array.from(version.raw ?? [])
        raw[raw.length - 60] = (raw[raw.length - 60] ?? 0) ^ 1
        return { ...version, raw }
      }),
  ],
  [
    'an amount in the plan',
    (at, id) =>
      at.tamper(id, (version) => ({
        ...version,
        maxFee: (version.fee - 1n) as typeof version.fee,
      })),
  ],
  ['a lease that is gone', (at, id) => at.store.transact((tx) => tx.coins.release(id))],
])(
  'the last look before each sending finds %s: nothing leaves, and people are told',
  async (_, tamper) => {
    const ear = listener()
    await open({ between: ear.between })
    await world.fund(100_000)
    const spend = await world.pay(50_000)
    await world.sign(spend.id)
    await tamper(world, spend.id)
    expect(await world.broadcast.sendDue()).toMatchObject({ held_back: 1, accepted: 0 })
    expect(ear.sent).toEqual([])
    expect(await world.alerts()).toEqual(['broadcast_refused'])
    expect(await due(spend.id)).toBeUndefined()
    expect((await world.current(spend.id)).lastSend?.reason).toMatch(/^last look: /)
  },
)

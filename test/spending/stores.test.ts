import type { Store } from '@kaccy/bitcoin'
import { toHex } from '@kaccy/bitcoin/kernel'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests, postgresHome, sqliteInMemory } from '../store/homes.ts'
import { expectSound } from './sound.ts'
import { World } from './world.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

/** A payout with everything that can happen to it, told as the states it goes through. */
async function story(store: Store | undefined): Promise<readonly string[]> {
  const world = await World.open(store ? { store } : {})
  const path: string[] = []
  try {
    await world.fund(100_000, 70_000)
    const spend = await world.pay(50_000, 60_000)
    const note = async () => {
      path.push(await world.status(spend.id))
      await expectSound(world)
    }
    await note()
    const first = await world.sign(spend.id)
    await world.broadcast.sendDue()
    await world.look()
    await note()
    await world.spending.bump(spend.id, { speed: world.rate(8_000) }, 'operator:test')
    await note()
    await world.send(spend.id)
    await note()
    await world.mine(2)
    await note()
    world.devnet.reorg(2, { blocks: [[toHex(first.raw ?? new Uint8Array())], [], []] })
    await world.look()
    await note()
    world.devnet.reorg(3, { drop: 'all' })
    await world.look()
    await note()
    await world.broadcast.sendDue()
    await world.look()
    await world.spending.cancel(spend.id, 'operator:test')
    await world.send(spend.id)
    await note()
    await world.mine(6)
    await note()
    const left = await world.free()
    path.push(`${left.length} coins`, ...(await world.told('psbt.created')).map(() => 'created'))
    return path
  } finally {
    await world.close()
  }
}

const stories: Promise<readonly string[]> = story(undefined)

test('the story ends as it should', async () => {
  expect(await stories).toEqual([
    'open: payment created',
    'open: payment broadcast',
    'open: payment broadcast, bump created',
    'open: payment replaced, bump broadcast',
    'mined: payment replaced, bump confirmed',
    'mined: payment confirmed, bump replaced',
    'open: payment evicted, bump replaced',
    'open: payment replaced, bump replaced, cancel broadcast',
    'settled: payment replaced, bump replaced, cancel confirmed',
    '1 coins',
    'created',
    'created',
    'created',
  ])
})

test('SQLite tells the same story', async () => {
  const { store, dispose } = await sqliteInMemory()
  expect(await story(store)).toEqual(await stories)
  await dispose?.()
})

test.skipIf(server === undefined)(
  'PostgreSQL tells the same story (skipped without a server)',
  async () => {
    if (!server) return
    const { store, dispose } = await postgresHome(server)
    expect(await story(store)).toEqual(await stories)
    await dispose?.()
  },
)

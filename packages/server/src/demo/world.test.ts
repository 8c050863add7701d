import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineError } from '@kaccy/bitcoin/kernel'
import { afterAll, expect, test } from 'vitest'
import { STORY } from './story.ts'
import { openWorld } from './world.ts'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-world-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const ADDRESS = 'bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk'
const DEEDS = STORY.flatMap(({ id, beats }) =>
  beats.map(({ deed }, at) => [`${id}.${at + 1}`, deed(ADDRESS)] as const),
)
/** A clock that never stands still, and is another one in each life. */
const clockFrom = (start: number) => () => ++start * 1_000

test('after a crash behind any deed the world is the same, to the last block', async () => {
  const whole = newFolder()
  const world = await openWorld(whole, 'seed', clockFrom(1_790_000_000))
  const tips: string[] = []
  for (const [id, deed] of DEEDS) {
    world.perform(id, deed)
    tips.push(`${world.devnet.tip.hash} ${world.devnet.view.mempool().join()}`)
  }
  await world.close()
  const lines = readFileSync(join(whole, 'world.jsonl'), 'utf8').split('\n')
  for (const [at, tip] of tips.entries()) {
    const folder = newFolder()
    writeFileSync(join(folder, 'world.jsonl'), `${lines.slice(0, at + 2).join('\n')}\n`)
    const again = await openWorld(folder, 'other seed is not asked', clockFrom(1_800_000_000))
    expect(`${again.devnet.tip.hash} ${again.devnet.view.mempool().join()}`).toBe(tip)
    expect(again.done).toEqual(DEEDS.slice(0, at + 1).map(([id]) => id))
    await again.close()
  }
})

test('a line that was cut by a crash was never done', async () => {
  const folder = newFolder()
  const path = join(folder, 'world.jsonl')
  const world = await openWorld(folder, 'seed', clockFrom(1_790_000_000))
  world.perform('mine', { do: 'mine', blocks: 2 })
  const tip = world.devnet.tip
  await world.close()
  const before = readFileSync(path, 'utf8')
  appendFileSync(path, '{"id":"mine","at":17900')
  const again = await openWorld(folder, 'seed', clockFrom(1_790_000_100))
  expect([again.devnet.tip, again.done]).toEqual([tip, ['mine']])
  again.perform('more', { do: 'mine', blocks: 1 })
  await again.close()
  expect(readFileSync(path, 'utf8').startsWith(before)).toBe(true)
  const third = await openWorld(folder, 'seed', clockFrom(1_790_000_200))
  expect(third.done).toEqual(['mine', 'more'])
  await third.close()
})

test.each(['{}\n', 'not json\n', '{"format":"kaccy-demo","version":2}\n', '\n'])(
  'what is no record of this demo is refused and left alone: %j',
  async (text) => {
    const folder = newFolder()
    writeFileSync(join(folder, 'world.jsonl'), text)
    const code = await openWorld(folder, 'seed', Date.now).then(
      () => 'opened',
      (error: unknown) => (error instanceof EngineError ? error.code : error),
    )
    expect(code).toBe('DEMO_FOLDER_FOREIGN')
    expect(readFileSync(join(folder, 'world.jsonl'), 'utf8')).toBe(text)
  },
)

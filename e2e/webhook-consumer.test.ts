import { expect, test } from 'vitest'
import { consume } from '../tools/consumer/run.ts'

const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const ROUNDS = Math.max(12, Math.round(150 * SCALE))
const seed = Math.floor(Date.now() / 1000) % 1_000_000_000

test(`${ROUNDS} rounds with a shop that loses, doubles and disorders, both sides killed: its totals are the engine's`, async () => {
  const { differences, kills, events, creditedSat } = await consume(seed, ROUNDS)
  process.stderr.write(
    `seed ${seed}: ${kills.server} kills of the server, ${kills.shop} of the shop, ${events} events, ${creditedSat} sat\n`,
  )
  expect(differences).toEqual([])
  expect(events).toBeGreaterThan(ROUNDS)
}, 3_600_000)

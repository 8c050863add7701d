import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Home, homes } from '../homes.ts'
import { costLine, type Report, type Rounds, rateLine, rates } from '../measure.ts'
import { openShop, order, pay, payAll, type Shop } from '../shop.ts'

export const name = 'deposits'

const ROUNDS: Rounds = { rounds: 3, milliseconds: 400 }
const PLAIN = 'one plain insert a commit'
let number = 1

/** What a program without a plan does for each payment. */
async function insertOne(home: Home): Promise<number> {
  await home.insertOne(number++)
  return 1
}

async function deposits(home: Home, shop: Shop, report: Report): Promise<void> {
  const figures: Record<string, number> = {}
  let plain = 0
  for (const size of [100, 1000]) {
    let best = 0
    for (let round = 0; round < 3; round++) {
      await order(shop, size)
      best = Math.max(best, (size / (await payAll(shop))) * 1000)
    }
    figures[`${size} a block`] = best
    plain = Math.max(plain, (await rates({ plain: () => insertOne(home) }, ROUNDS)).plain)
  }
  for (const [what, value] of Object.entries(figures))
    report(rateLine(`deposits to ${home.name}, ${what}`, 'payments/s', value, PLAIN, plain))
}

async function orders(home: Home, shop: Shop, report: Report): Promise<void> {
  const made = await rates(
    { one: () => order(shop, 1), many: () => order(shop, 32), plain: () => insertOne(home) },
    ROUNDS,
  )
  const line = (what: string, value: number) =>
    report(rateLine(`orders to ${home.name}, ${what}`, 'orders/s', value, PLAIN, made.plain))
  line('one at a time', made.one)
  line('32 at once', made.many)
}

/** A wait is counted between two turns of the loop. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 5))

/** How long others wait while a full block with 100 payments of ours is read and committed. */
async function loopDelay(home: Home, shop: Shop, report: Report): Promise<void> {
  const stranger = (i: number) =>
    Uint8Array.of(0, 20, ...new Uint8Array(16).fill(7), i >> 8, i & 255, 1, 1)
  const strangers = Array.from({ length: 2900 }, (_, i) => stranger(i))
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  let worst = Number.POSITIVE_INFINITY
  let whole = 0
  for (let round = 0; round < 3; round++) {
    shop.scripts.length = 0
    await order(shop, 100)
    histogram.reset()
    histogram.enable()
    await turn()
    const spent = await pay(shop, [...shop.scripts.splice(0), ...strangers])
    await turn()
    histogram.disable()
    const longest = histogram.max / 1e6
    if (longest < worst) whole = spent
    worst = Math.min(worst, longest)
  }
  const what = `event loop held by a block of 3,000, ${home.name}`
  report(costLine(what, 'ms at most', worst, 'the whole block', whole))
}

export async function run(report: Report): Promise<void> {
  for (const open of await homes()) {
    const home = await open()
    try {
      const shop = await openShop(home)
      await deposits(home, shop, report)
      await orders(home, shop, report)
      await loopDelay(home, shop, report)
    } finally {
      await home.close()
    }
  }
}

import type { Meeting } from '../../test/races/store.ts'
import type { FaultPoint } from './payouts-faults.ts'
import { STORIES, type Story } from './payouts-stories.ts'
import { CLAIMS_END_MS, PayoutWorld, type Told } from './payouts-world.ts'

export interface WritesReport {
  readonly seed: number
  readonly kills: number
  /** Every named write and outside act, with the story that makes it first. */
  readonly points: readonly { readonly story: string; readonly point: string }[]
  /** What is wrong; empty when nothing is. */
  readonly faults: readonly string[]
}

/** What fees of all versions may take, satoshi. */
const SPARE = 60_000
/** How often a story is told at most. */
const MOST_ROUNDS = 4

/**
 * Tells every story once without a kill and writes down what it passes. Then the stories are told with processes that die, one
 * immediately before and another one immediately after each of these points, `times` times; after each death the story goes
 * on with a new process.
 * @param only points that are killed at
 */
export async function killAtWrites(
  seed: number,
  times: number,
  meeting: Meeting,
  only: RegExp = /./,
): Promise<WritesReport> {
  const world = await PayoutWorld.open(seed, meeting)
  try {
    const points = (await discover(world)).filter(({ point }) => only.test(point))
    for (let time = 0; time < times; time++) await killAll(world, points)
    const faults = await world.verdict()
    const named = points.map(({ story, point }) => ({ story: story.name, point }))
    return { seed, kills: world.victim.kills, points: named, faults }
  } finally {
    await world.close()
  }
}

type Known = readonly { readonly story: Story; readonly point: string }[]

async function discover(world: PayoutWorld): Promise<Known> {
  const known = new Set<string>()
  const points: { story: Story; point: string }[] = []
  for (const story of STORIES) {
    await live(world, story, [])
    const { met = [] } = await world.tell({ do: 'tell' })
    for (const point of met)
      if (!known.has(point)) {
        known.add(point)
        points.push({ story, point })
      }
  }
  return points
}

/** Each story kills wherever it comes to; what one death kept from being reached is reached when the story is told again. */
async function killAll(world: PayoutWorld, points: Known): Promise<void> {
  let open = points.flatMap(({ point }) => [
    { point, moment: 'before' } as const,
    { point, moment: 'after' } as const,
  ])
  const stories = new Set(points.map(({ story }) => story))
  for (let round = 0; round < MOST_ROUNDS && open.length > 0; round++)
    for (const story of stories) {
      const mine = points.filter((one) => one.story === story).map(({ point }) => point)
      if (open.some(({ point }) => mine.includes(point))) open = await live(world, story, open)
    }
  for (const { point, moment } of open) world.faults.push(`no story came to ${moment} ${point}`)
}

/** One story from the request to its end; answers those of the armed points at which no process died. */
async function live(
  world: PayoutWorld,
  story: Story,
  armed: readonly FaultPoint[],
): Promise<FaultPoint[]> {
  await world.fund(story.amount + SPARE)
  let open = [...armed]
  const tell = async (told: Told) => {
    for (;;) {
      if (open.length > 0) await world.tell({ do: 'arm', points: open })
      const died = await world.tellAtRisk(told)
      if (!died) return
      open = open.filter(({ point, moment }) => point !== died.point || moment !== died.moment)
      // The one that died may have claimed what is to be done; whoever asks gets no answer and asks again.
      world.pass(CLAIMS_END_MS)
    }
  }
  const request = world.newRequest(story.amount, story.maxRate)
  await tell(request)
  world.asked.push(request)
  for (const step of story.steps)
    if ('outside' in step) step.outside(world)
    else await tell(step(request.externalId))
  await world.tell({ do: 'arm', points: [] })
  if (!(await world.finish())) world.faults.push(`${story.name} never came to its end`)
  return open
}

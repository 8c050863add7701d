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

/**
 * Tells every story once without a kill and writes down what it passes. Then a process dies immediately before, and another one
 * immediately after, each of these points, `times` times; each time the story goes on with a new process.
 */
export async function killAtWrites(
  seed: number,
  times: number,
  meeting: Meeting,
): Promise<WritesReport> {
  const world = await PayoutWorld.open(seed, meeting)
  try {
    const points = await discover(world)
    for (let time = 0; time < times; time++)
      for (const { story, point } of points)
        for (const moment of ['before', 'after'] as const) {
          const died = await live(world, story, { point, moment })
          if (!died) world.faults.push(`${story.name} never came to the point ${moment} ${point}`)
        }
    const faults = await world.verdict()
    const named = points.map(({ story, point }) => ({ story: story.name, point }))
    return { seed, kills: world.victim.kills, points: named, faults }
  } finally {
    await world.close()
  }
}

async function discover(world: PayoutWorld) {
  const known = new Set<string>()
  const points: { story: Story; point: string }[] = []
  for (const story of STORIES) {
    await live(world, story, undefined)
    const { met = [] } = await world.tell({ do: 'tell' })
    for (const point of met)
      if (!known.has(point)) {
        known.add(point)
        points.push({ story, point })
      }
  }
  return points
}

/** One story from the request to its end; true when the process died at the armed point. */
async function live(
  world: PayoutWorld,
  story: Story,
  armed: FaultPoint | undefined,
): Promise<boolean> {
  await world.fund(story.amount + SPARE)
  if (armed) await world.tell({ do: 'arm', point: armed })
  let deaths = 0
  const tell = async (told: Told) => {
    if (await world.tellAtRisk(told)) return
    deaths += 1
    // The one that died may have claimed what is to be done; whoever asks gets no answer and asks again.
    world.pass(CLAIMS_END_MS)
    await world.tell(told)
  }
  const request = world.newRequest(story.amount, story.maxRate)
  await tell(request)
  world.asked.push(request)
  for (const step of story.steps)
    if ('outside' in step) step.outside(world)
    else await tell(step(request.externalId))
  if (!(await world.finish())) world.faults.push(`${story.name} never came to its end`)
  return deaths === 1
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBitcoind } from '../counterparts/bitcoind.ts'
import { reasonToSkip } from '../counterparts/node.ts'
import { CHAPTERS, importWallets } from './beside/chapters.ts'
import { importsOf } from './beside/imports.ts'
import { type Pair, startPair } from './beside/pair.ts'
import { readings, restPaths } from './beside/readings.ts'
import { beginStory, type Story } from './beside/story.ts'
import { BODIES, isSpared, wrongQuestions } from './beside/wrong.ts'
import { type Ear, listenAt, quiet } from './beside/zmq.ts'
import { methodNames } from '@kaccy/devnet'

const reason = reasonToSkip(
  'devnet beside Bitcoin Core',
  await findBitcoind(),
  process.env['BITCOIND'] !== undefined,
)
describe.skipIf(reason)('a devnet beside Bitcoin Core', () => {
  let pair: Pair
  let story: Story
  let ears: readonly [core: Ear, devnet: Ear]
  beforeAll(async () => {
    pair = await startPair()
    ears = [listenAt(pair.core.zmq), listenAt(pair.devnet.zmq)]
    await new Promise((resolve) => setTimeout(resolve, 500))
    story = await beginStory(pair)
  })
  afterAll(async () => {
    for (const ear of ears ?? []) await ear.close()
    await pair?.close()
  })
  const askAll = async () => {
    // Core makes a new template only after some seconds.
    await pair.travel(10)
    for (const [method, params, wallet] of readings(story)) await pair.ask(method, params, wallet)
    for (const path of restPaths(story)) {
      await pair.fetch(`/rest/${path.split(/[/.?]/)[0]}`, `/rest/${path}`)
    }
  }

  it('answers the same at genesis', async () => {
    await importWallets(story, await importsOf(story))
    await askAll()
    expect(pair.takeFindings()).toEqual([])
  })
  for (const [name, chapter] of CHAPTERS) {
    it(`answers and publishes the same after ${name}`, async () => {
      await chapter(story)
      await askAll()
      await quiet(...ears)
      const [core, devnet] = ears.map(({ heard }) => heard.splice(0))
      expect(devnet).toEqual(core)
      expect(core?.length).toBeGreaterThan(0)
      expect(pair.takeFindings()).toEqual([])
    })
  }
  it('refuses wrong arguments in the same words', async () => {
    for (const body of BODIES) {
      for (const path of ['/', '/wallet/none', '/wallet/w', '/nosuch']) {
        await pair.fetch(`POST ${path}`, path, { method: 'POST', body })
      }
    }
    for (const [method, params] of wrongQuestions()) await pair.ask(method, params, 'watch')
    expect(pair.takeFindings()).toEqual([])
  })
  it('was asked every call, and every named difference occurred', () => {
    const { compared, equal } = pair
    const named = `${compared - equal} with a named difference`
    process.stderr.write(
      `devnet beside Bitcoin Core: ${compared} answers, ${equal} equal, ${named}\n`,
    )
    const unasked = methodNames().filter((name) => !isSpared(name) && !pair.methods.has(name))
    expect(unasked).toEqual([])
    expect(pair.unhit()).toEqual([])
    expect(compared).toBeGreaterThan(5000)
  })
})

/** A process that commits until it is killed. Each line it writes names a commit that was acknowledged. */
import { writeSync } from 'node:fs'
import { alertOf, eventOf, postingOf } from '@kaccy/bitcoin/testing'
import { openMeeting } from '../races/store.ts'

const [meeting = '', life = ''] = process.argv.slice(2)
const { store } = await openMeeting(JSON.parse(meeting))

/** Three rows of one commit, in three tables, under one name. */
const commit = async (name: string) => {
  await store.transact(async (tx) => {
    await tx.ledger.post(1, [postingOf(1, { key: name })])
    await tx.alerts.raise(1, [alertOf(1, { key: name })])
    await tx.events.append(1, [eventOf(1, { subject: name }), eventOf(2, { subject: name })])
  })
  writeSync(1, `${name}\n`)
}
/** Several at a time, so that they share commits. */
const lane = async (number: number) => {
  for (let i = 0; ; i++) await commit(`${life}.${number}.${i}`)
}
await Promise.all([0, 1, 2, 3].map(lane))

import { createInterface } from 'node:readline'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { type Meeting, openMeeting } from '../../test/races/store.ts'
import { type Command, Obedient } from './commands.ts'

/** The process that is killed: a real database, a real connection to the node, commands on standard input. */
const [meetingText = '{}', url = '', cookieFile = ''] = process.argv.slice(2)
const { store } = await openMeeting(JSON.parse(meetingText) as Meeting)
const source = createBitcoindSource({ url, auth: { cookieFile } })
const engine = await Obedient.open(store, source)
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  await engine.obey(JSON.parse(line) as Command)
  process.stdout.write('done\n')
}
process.exit(0)

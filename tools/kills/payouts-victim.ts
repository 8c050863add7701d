import { flushCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { type Meeting, openMeeting } from '../../test/races/store.ts'
import { signersAt } from './payouts-asking.ts'
import { Payer, type PayoutCommand } from './payouts-engine.ts'

/** The process that pays out and is killed: a real database, a real connection to the node, signers beyond its reach. */
const [meetingText = '{}', url = '', cookieFile = '', signers = ''] = process.argv.slice(2)
const { store } = await openMeeting(JSON.parse(meetingText) as Meeting)
const source = createBitcoindSource({ url, auth: { cookieFile } })
const payer = await Payer.open({ store, source, signers: signersAt(signers) })
// Whoever is killed writes nothing at its end.
flushCompileCache()
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await payer.obey(JSON.parse(line) as PayoutCommand)
  process.stdout.write(`done ${JSON.stringify(answer)}\n`)
}
process.exit(0)

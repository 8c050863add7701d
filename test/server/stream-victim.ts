/**
 * A server over a SQLite file that lives until somebody kills it: events are committed in bursts all the time.
 * Arguments: file, port (0: any). Prints one line of JSON: address and key.
 */
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import Database from 'better-sqlite3'
import { openStreamed } from './streamed.ts'

const [file = '', port = '0'] = process.argv.slice(2)
const store = await openStore({ dialect: 'sqlite', database: new Database(file), migrate: true })
const streamed = await openStreamed({ store, registers: false, port: Number(port) })
process.stdout.write(`${JSON.stringify({ url: streamed.url, token: streamed.served.admin })}\n`)
for (let turn = 0; ; turn++) {
  await streamed.many(1 + ((turn * 7) % 40))
  await new Promise((resolve) => setTimeout(resolve, 5))
}

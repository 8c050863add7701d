import { expect, it } from 'vitest'
import { DevnetError } from '../failure.ts'
import { RpcServer } from './server.ts'

it('answers 500 where its own code fails, and goes on', async () => {
  const broken = (): never => {
    throw new DevnetError('DEVNET_INTERNAL', 'planted')
  }
  const server = new RpcServer({ respond: broken, authorize: () => true, rest: broken }, 0)
  await server.listen()
  try {
    const url = `http://127.0.0.1:${server.port}`
    const headers = { authorization: 'Basic eDp4' }
    for (const round of [1, 2]) {
      expect([round, (await fetch(`${url}/rest/tx/00.bin`)).status]).toEqual([round, 500])
      const answer = await fetch(url, { method: 'POST', headers, body: '{}' })
      expect([round, answer.status, await answer.text()]).toEqual([round, 500, ''])
    }
  } finally {
    await server.stop()
  }
})

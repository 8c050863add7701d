import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  command,
  GREETING,
  isTip,
  listen,
  pause,
  plain,
  property,
  publishing,
  rawSubscriber,
  READY,
  until,
} from './subscriber.ts'

describe('the wire', () => {
  it('speaks ZMTP 3.0 subscriptions, 3.1 commands and heartbeats', async () => {
    const devnet = await publishing({ topics: ['hashblock'] })
    const socket = await rawSubscriber(devnet, Buffer.from('\x00\x05\x01hash', 'latin1'))
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.write(command('PING', Buffer.from('\x00\x00hello', 'latin1')))
    const said = () => Buffer.concat(parts).toString('latin1')
    await until(() => said().includes('PONG'))
    expect(said()).toContain('\x04\x0a\x04PONGhello')
    devnet.mine()
    await until(() => said().includes('hashblock'))
    expect(said()).toContain('\x01\x09hashblock\x01\x20')
    socket.write(Buffer.from('\x00\x05\x00hash', 'latin1'))
    await pause(30)
    parts.length = 0
    devnet.mine()
    await pause(30)
    expect(said()).toBe('')
  })
  it('closes what is no subscriber, and goes on', async () => {
    const devnet = await publishing({ topics: ['hashblock'] })
    const { heard } = await listen(devnet)
    const hostile: readonly Buffer[] = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('ff00000000000000007f01', 'hex'),
      Buffer.concat([GREETING.subarray(0, 12), Buffer.from('PLAIN'), Buffer.alloc(47)]),
      Buffer.concat([GREETING, command('READY', property('Socket-Type', 'PUSH'))]),
      Buffer.concat([GREETING, command('READY', Buffer.from([200, 1, 2]))]),
      Buffer.concat([GREETING, Buffer.from('\x00\x01\x01', 'latin1')]),
      Buffer.concat([GREETING, READY, Buffer.from('ffffffffffffffffff', 'hex')]),
      Buffer.concat([GREETING, READY, Buffer.from('02ffffffffffffffff', 'hex')]),
      Buffer.concat([GREETING, READY, Buffer.from('0400', 'hex')]),
      Buffer.concat([GREETING, READY, command('PING', Buffer.of(1))]),
      Buffer.concat([GREETING, READY, command('ERROR', Buffer.of(0))]),
    ]
    for (const bytes of hostile) {
      const socket = await plain(devnet)
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.on('error', () => {})
      socket.resume()
      socket.write(bytes)
      await closed
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (noise, greeted) => {
        const socket = await plain(devnet)
        socket.on('error', () => {})
        socket.end(greeted ? Buffer.concat([GREETING, READY, noise]) : noise)
        socket.destroySoon()
      }),
      { numRuns: 60 },
    )
    devnet.mine()
    await until(() => heard.length >= 1)
    expect(isTip(heard, devnet.tip.hash)).toBe(true)
  }, 20_000)
})
